// What the page knows and where it says something.

/// All that was put into the page: environment, policy, and what is to be played, trained and measured.
export const data = JSON.parse(document.getElementById("data").textContent);
export const { environment, policy, play, train, bench } = data;
export const at = (id) => document.getElementById(id);

/// Says what goes on, or what went wrong. What went wrong stays.
export function tell(text, isError = false) {
  if (!isError && at("message").className === "error") return;
  at("message").textContent = text;
  at("message").className = isError ? "error" : "";
}

/// Says what went wrong in something that nobody waits for.
export const tellError = (error) => tell(error.message, true);

/// Says whose worlds these are.
export function describe(player) {
  at("about").textContent = [environment.about, player].filter(Boolean).join(" · ");
}

export const number = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(4));

/// Rows of a table: [name, number as text, share of the bar from 0 to 1 or null for none, class].
export function fill(table, rows) {
  while (table.rows.length < rows.length) {
    const row = table.insertRow();
    ["", "number", "bar"].forEach((name) => { row.insertCell().className = name; });
    row.cells[2].appendChild(document.createElement("div"));
  }
  while (table.rows.length > rows.length) table.deleteRow(-1);
  rows.forEach(([name, text, share, kind], i) => {
    const row = table.rows[i];
    row.className = kind;
    row.cells[0].textContent = name;
    row.cells[1].textContent = text;
    row.cells[2].firstChild.hidden = share === null;
    row.cells[2].firstChild.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  });
}
