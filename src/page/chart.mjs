// The learning curve.

/// Draws points {steps, mean} as a line and evaluations as dots, with a dashed line where the environment counts as solved.
export function drawCurve(canvas, allPoints, allEvaluations, threshold) {
  const told = (list) => thinned(list.filter((point) => point.mean !== null));
  const [points, evaluations] = [told(allPoints), told(allEvaluations)];
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = "12px system-ui, sans-serif";
  const shown = [...points, ...evaluations];
  if (shown.length === 0) {
    context.fillStyle = "#8b919c";
    context.fillText("the mean return of the latest episodes will be drawn here", 8, height / 2);
    return;
  }
  const values = shown.map((point) => point.mean).concat(threshold === null ? [] : [threshold]);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
  const last = Math.max(...shown.map((point) => point.steps));
  const box = { left: 52, right: width - 10, top: 10, bottom: height - 22 };
  const x = (steps) => box.left + (box.right - box.left) * steps / last;
  const y = (value) => box.bottom - (box.bottom - box.top) * (value - low) / (high - low);

  context.fillStyle = "#8b919c";
  context.strokeStyle = "#30343b";
  context.textAlign = "right";
  for (const value of ticks(low, high)) {
    line(context, [[box.left, y(value)], [box.right, y(value)]]);
    context.fillText(short(value), box.left - 6, y(value) + 4);
  }
  context.fillText(`${short(last)} steps`, box.right, height - 6);
  if (threshold !== null) {
    context.strokeStyle = "#6f7682";
    context.setLineDash([5, 4]);
    line(context, [[box.left, y(threshold)], [box.right, y(threshold)]]);
    context.setLineDash([]);
  }
  context.strokeStyle = "#5b9dff";
  context.lineWidth = 1.5;
  line(context, points.map(({ steps, mean }) => [x(steps), y(mean)]));
  context.fillStyle = "#fa9a1e";
  for (const { steps, mean } of evaluations) {
    context.beginPath();
    context.arc(x(steps), y(mean), 3.5, 0, 7);
    context.fill();
  }
}

/// At most some thousand points.
function thinned(points) {
  const every = Math.ceil(points.length / 2000);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

function line(context, places) {
  context.beginPath();
  places.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.stroke();
}

/// Round numbers between two others.
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step + 1e-9) + 1 }, (_, i) => first + i * step);
}

/// A number in few characters.
export function short(value) {
  const size = Math.abs(value);
  const [unit, letter] = [[1e9, " G"], [1e6, " M"], [1e4, " k"]].find(([unit]) => size >= unit) ?? [1, ""];
  if (unit > 1) return (value / (unit === 1e4 ? 1e3 : unit)).toPrecision(3) + letter;
  return size !== 0 && size < 0.01 ? value.toExponential(1) : String(Number(value.toFixed(2)));
}
