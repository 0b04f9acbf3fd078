"""Checks ONNX models and runs them: models.py FOLDER NAME…, for every name a model NAME.onnx, observations NAME.f32 and flags
NAME.mask, and leaves what comes of it in NAME.action and NAME.outputs, both f64."""
import sys
import numpy as np
import onnx
import onnxruntime

folder, *names = sys.argv[1:]
for name in names:
    path = f"{folder}/{name}.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {wanted.name: wanted for wanted in session.get_inputs()}
    features = inputs["observation"].shape[1]
    feed = {"observation": np.fromfile(f"{folder}/{name}.f32", np.float32).reshape(-1, features)}
    if "mask" in inputs:
        feed["mask"] = np.fromfile(f"{folder}/{name}.mask", np.uint8).reshape(-1, inputs["mask"].shape[1]).astype(bool)
    made = [output.name for output in session.get_outputs()]
    assert made[0] == "action" and made[1] in ("logits", "mean"), made
    action, outputs = session.run(None, feed)
    one, = session.run(["action"], {key: value[:1] for key, value in feed.items()})  # a batch of another size
    assert (one == action[:1]).all() or np.allclose(one, action[:1], rtol=0, atol=1e-5), name
    action.astype(np.float64).tofile(f"{folder}/{name}.action")
    outputs.astype(np.float64).tofile(f"{folder}/{name}.outputs")
    imported, = model.opset_import
    properties = {entry.key: entry.value for entry in model.metadata_props}
    print(name, model.ir_version, imported.version, action.dtype, list(action.shape), properties["environment"],
          properties["params_hash"], model.producer_name)
