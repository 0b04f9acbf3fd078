#!/bin/sh
# onnx 1.23.2 and onnxruntime 1.32.0, Python 3.11, x86-64 Linux, seen on 2026-11-30: nobody says before the first run that Max of two shapes
# needs opset 8.
#
# Max of [N, 2] and [2], stamped opset 6 or 7: those versions of the operator take equal shapes only. `onnx.checker.check_model` with
# full_check, shape inference included, passes it; onnxruntime makes a session of it; and the first run fails. Stamped opset 8 the
# same graph runs. So a model that was given the oldest opset that a checker lets through may be found out by those who run it: run it once
# with every opset that is claimed.
#
# Output seen:
#   opset 6: checked passes, session made, run fails
#   opset 7: checked passes, session made, run fails
#   opset 8: checked passes, session made, run gives [3, 2]
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 || exit 2

cat >"$folder/max.py" <<'END'
import numpy, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
for opset in (6, 7, 8):
    low = numpy_helper.from_array(numpy.array([-1, -2], numpy.float32), "low")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Max", ["x", "low"], ["y"])], "max", [x], [y], [low])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=4)
    said = []
    try:
        onnx.checker.check_model(model, full_check=True)
        said.append("checked passes")
        session = onnxruntime.InferenceSession(model.SerializeToString())
        said.append("session made")
        (made,) = session.run(None, {"x": numpy.zeros((3, 2), numpy.float32)})
        said.append(f"run gives {list(made.shape)}")
    except Exception:
        said.append(["check fails", "session fails", "run fails"][len(said)])
    print(f"opset {opset}: {', '.join(said)}")
END
"$folder/venv/bin/python" "$folder/max.py" 2>/dev/null | tee "$folder/said"
cat >"$folder/expected" <<END
opset 6: checked passes, session made, run fails
opset 7: checked passes, session made, run fails
opset 8: checked passes, session made, run gives [3, 2]
END
if cmp -s "$folder/said" "$folder/expected"; then echo "as described"; else echo "not as described"; exit 1; fi
