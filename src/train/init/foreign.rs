//! Safetensors of other programs, whose tensors have the names that PyTorch gives.

use super::Given;
use crate::error::Result;
use crate::train::tensors::complaint;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// Prefixes of networks, and what they are in a checkpoint. Of several that are there, the first is taken.
const NETWORKS: [(&str, &[&str]); 4] = [
    ("actor", &["actor", "actor_mean", "policy", "policy_net", "pi", "mlp", "net", "network", "model", ""]),
    ("critic", &["critic", "value", "value_net", "vf", "v"]),
    ("critic1", &["critic1", "qf1", "q1", "qf"]),
    ("critic2", &["critic2", "qf2", "q2"]),
];
/// Names of logarithms of deviations.
const LOG_STD: [&str; 5] = ["actor.log_std", "log_std", "actor_logstd", "logstd", "actor_log_std"];

/// Whether bytes are those of a checkpoint of ours, whole or not.
pub(super) fn is_checkpoint(bytes: &[u8]) -> bool {
    const OURS: &[u8] = b"{\"__metadata__\":{\"blake3\":\"";
    if bytes.get(8..).is_some_and(|rest| rest.starts_with(OURS)) {
        return true;
    }
    let format = SafeTensors::read_metadata(bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    format.is_some_and(|known| known.get("format").is_some_and(|format| format.starts_with("manyworlds")))
}

/// All tensors, those of networks by what they are in a checkpoint.
pub(super) fn tensors(path: &Path, bytes: &[u8]) -> Result<Vec<Given>> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| complaint(path, &format!("it is no safetensors file ({error}); save one with safetensors.torch.save_file(model.state_dict(), FILE)")))?;
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    names.sort();
    // (number, kind) of the layers behind each prefix
    let mut groups: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for name in &names {
        if let Some((prefix, number)) = layer(name) {
            groups.entry(prefix).or_default().push((number, name.clone()));
        }
    }
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    for (network, prefixes) in NETWORKS {
        let found = prefixes.iter().find(|prefix| groups.contains_key(**prefix));
        // a single network is the actor, whatever it is called
        let single =
            (network == "actor" && groups.len() == 1).then(|| groups.keys().next().map(String::as_str)).flatten();
        let Some(prefix) = found.copied().or(single) else { continue };
        let mut numbers: Vec<usize> = groups[prefix].iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for (number, name) in &groups[prefix] {
            let place = numbers.iter().position(|other| other == number).unwrap_or(0);
            let kind = name.rsplit('.').next().unwrap_or_default();
            meanings.insert(name.clone(), format!("{network}.{place}.{kind}"));
        }
    }
    if !meanings.values().any(|meaning| meaning.starts_with("actor.")) {
        let known: Vec<String> = names.iter().take(8).map(|name| format!("'{name}'")).collect();
        let found = if names.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        let reason = format!(
            "no network in it is an actor: it holds {found}{}; name the layers actor.0.weight, actor.0.bias, actor.2.weight, …",
            if names.len() > known.len() { ", …" } else { "" }
        );
        return Err(complaint(path, &reason));
    }
    names.iter().map(|name| given(path, &file, name, meanings.get(name))).collect()
}

/// The prefix and the number of a layer: `actor.2.weight` is the third module of `actor`.
fn layer(name: &str) -> Option<(String, usize)> {
    let rest = name.strip_suffix(".weight").or_else(|| name.strip_suffix(".bias"))?;
    let (prefix, number) = rest.rsplit_once('.').unwrap_or(("", rest));
    Some((prefix.to_owned(), number.parse().ok()?))
}

fn given(path: &Path, file: &SafeTensors, name: &str, meaning: Option<&String>) -> Result<Given> {
    let tensor = file.tensor(name).map_err(|error| complaint(path, &format!("'{name}': {error}")))?;
    let mut shape = tensor.shape().to_vec();
    let is_log_std = LOG_STD.contains(&name);
    if is_log_std && shape.first() == Some(&1) && shape.len() == 2 {
        shape.remove(0);
    }
    let meaning = if is_log_std { "actor.log_std".to_owned() } else { meaning.cloned().unwrap_or_default() };
    if meaning.is_empty() {
        return Ok(Given { name: name.to_owned(), meaning, shape, values: Vec::new() });
    }
    if meaning.ends_with(".weight") && shape.len() != 2 {
        return Err(complaint(
            path,
            &format!("'{name}' is {shape:?}; a layer's weights are [outputs, inputs], as in nn.Linear"),
        ));
    }
    let values = numbers(&tensor).ok_or_else(|| {
        let kind = tensor.dtype();
        complaint(
            path,
            &format!(
                "'{name}' has numbers of kind {kind:?}; F16, BF16, F32 and F64 are read: convert it with .float()"
            ),
        )
    })?;
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        return Err(complaint(
            path,
            &format!("'{name}': number {place} is {}; a run cannot begin with that", values[place]),
        ));
    }
    Ok(Given { name: name.to_owned(), meaning, shape, values })
}

/// Its numbers as f32; none where they are of another kind.
fn numbers(tensor: &TensorView) -> Option<Vec<f32>> {
    fn each<const N: usize>(data: &[u8], number: fn([u8; N]) -> f32) -> Vec<f32> {
        data.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
    }
    match tensor.dtype() {
        Dtype::F32 => Some(each(tensor.data(), f32::from_le_bytes)),
        Dtype::F64 => Some(each(tensor.data(), |bytes| f64::from_le_bytes(bytes) as f32)),
        Dtype::F16 => Some(each(tensor.data(), |bytes| half(u16::from_le_bytes(bytes)))),
        Dtype::BF16 => Some(each(tensor.data(), |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16))),
        _ => None,
    }
}

/// The value of a number of 16 bits: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::{half, layer};

    #[test]
    fn halves_are_the_numbers_of_ieee_754() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
        ] {
            assert!((half(bits) - value).abs() <= f32::EPSILON * value.abs(), "{bits:x}: {}", half(bits));
        }
        assert!(half(0x7c00).is_infinite() && half(0xfe00).is_nan());
    }

    #[test]
    fn layers_are_told_by_their_names() {
        for (name, found) in [
            ("0.weight", Some(("", 0))),
            ("actor.2.bias", Some(("actor", 2))),
            ("policy.mlp.10.weight", Some(("policy.mlp", 10))),
            ("actor.log_std", None),
            ("head.weight", None),
            ("weight", None),
        ] {
            assert_eq!(layer(name), found.map(|(prefix, number): (&str, usize)| (prefix.to_owned(), number)), "{name}");
        }
    }
}
