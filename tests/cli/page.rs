//! `manyworlds export --format html`: what is in a page, and what is refused.

// a test may panic
#![allow(clippy::unwrap_used)]

use super::calls::text;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn export(folder: &Path, arguments: &[&str]) -> Output {
    let all = [&["export"], arguments, &["--format", "html"]].concat();
    Command::new(env!("CARGO_BIN_EXE_manyworlds")).current_dir(folder).args(all).output().unwrap()
}

/// A page, and what its script reads.
fn page(folder: &Path, arguments: &[&str], name: &str) -> (String, Value) {
    let output = export(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(folder.join(name)).unwrap();
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    // where a browser ends the element, whatever stands in it
    let (json, _) = rest.split_once("</script>").unwrap();
    let data = serde_json::from_str(json).unwrap();
    (page, data)
}

/// Says of a call that it was refused by one line with these words.
fn refused(output: &Output, words: &str) {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    let error = err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains(words), "'{words}' is missing in {err}");
}

const SMALL: [&str; 6] = ["--set", "hidden=[4]", "--set", "num_envs=8", "--set", "eval_episodes=2"];

#[test]
fn a_page_needs_nothing_but_itself_and_has_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (page, data) =
        page(folder.path(), &[&["CartPole-v1", "--worlds", "9"][..], &SMALL].concat(), "CartPole-v1.html");
    assert!(page.contains("<title>CartPole-v1</title>"));
    for absent in ["{{", "src=", "href=\"", "http://", "import {", "\nexport "] {
        // links in WGSL's comments are not followed
        let (head, rest) = page.split_once("id=\"data\">").unwrap();
        let (_, code) = rest.split_once("</script>").unwrap();
        assert!(!head.contains(absent) && !code.contains(absent), "'{absent}' in the page");
    }
    assert_eq!(data["play"]["worlds"], 9);
    assert!(data["play"]["sampled"].as_bool().unwrap(), "what an untrained policy likes best is an accident");
    assert_eq!(data["environment"]["actions"], serde_json::json!(["left", "right"]));
    assert!(data["train"].is_null() && data["bench"].as_array().unwrap().is_empty());
    let names: Vec<&str> =
        data["play"]["plan"]["recordings"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["begin", "act", "sample", "step", "draw"]);
}

#[test]
fn a_page_trains_by_any_algorithm() {
    let folder = tempfile::tempdir().unwrap();
    for (env, algo) in [("CartPole-v1", "trpo"), ("Pendulum-v1", "td3"), ("CartPole-v1", "es")] {
        let more = if algo == "es" { &SMALL[..2] } else { &SMALL[..] };
        let arguments = [&[env, "--train", "--algo", algo][..], more].concat();
        let (_, data) = page(folder.path(), &arguments, &format!("{env}.html"));
        let train = &data["train"];
        assert_eq!(train["algo"], algo);
        for role in ["parameters", "metrics", "outcomes"] {
            assert!(!train["plan"]["roles"][role].as_array().unwrap().is_empty(), "{algo}: {role}");
        }
        // a search tells of its steps itself
        assert_eq!(train["steps_of_updates"].is_null(), algo == "es", "{algo}");
        let fields = &train["metrics"]["fields"];
        for name in ["episodes", "return_sum", "steps", "fault", "fault_loop"] {
            assert!(fields[name].is_array(), "{algo}: {name}");
        }
        let kept: Vec<&str> =
            train["metadata"].as_array().unwrap().iter().map(|entry| entry[0].as_str().unwrap()).collect();
        assert!(kept.contains(&"params_hash") && kept.contains(&"updates"), "{kept:?}");
    }
}

/// Text of an environment ends up in the page, in comments of its WGSL and in names.
#[test]
fn nothing_that_an_environment_says_leaves_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let new =
        Command::new(env!("CARGO_BIN_EXE_manyworlds")).current_dir(folder.path()).args(["new-env", "windy"]).output();
    assert_eq!(new.unwrap().status.code(), Some(0));
    let path = folder.path().join("windy.wgsl");
    let own = fs::read_to_string(&path).unwrap();
    let hostile = "</script><script>alert(1)</script> <!-- {{code}}";
    let (first, rest) = own.split_once('\n').unwrap();
    let header = format!("{first} {hostile}\n//! {hostile}\n{rest}\n// {hostile}\n");
    fs::write(folder.path().join("a&b<i>.wgsl"), header).unwrap();
    let (page, data) = page(folder.path(), &[&["a&b<i>.wgsl", "-o", "own.html"][..], &SMALL].concat(), "own.html");
    assert!(page.contains("<title>a&amp;b&lt;i&gt;</title>"));
    assert_eq!(data["environment"]["name"], "a&b<i>");
    let about = data["environment"]["about"].as_str().unwrap();
    assert!(about.contains("<script>alert(1)</script>"), "{about}");
    assert_eq!(page.matches("</script>").count(), 2, "the two of the page's own");
}

#[test]
fn what_is_no_page_or_not_for_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |arguments: &[&str]| export(folder.path(), arguments);
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    refused(&inside(&["run"]), "it is no run directory");
    refused(&inside(&["nowhere"]), "no run directory or checkpoint of this name is here");
    refused(&inside(&["CartPole-v2"]), "did you mean 'CartPole-v1'");
    refused(&inside(&["run", "--set", "seed=3"]), "'run' is a run, whose settings stay as they are");
    refused(&inside(&["CartPole-v1", "--which", "last"]), "'which': 'CartPole-v1' is an environment and no run");
    refused(&inside(&["CartPole-v1", "--as-trained"]), "'as-trained': 'CartPole-v1' is an environment and no run");
    refused(&inside(&["CartPole-v1", "--worlds", "0"]), "setting 'worlds': 0 is not allowed");
    refused(&inside(&["CartPole-v1", "--size", "3"]), "from 4 to 4096");
    refused(&inside(&["CartPole-v1", "--out", "nowhere/page.html"]), "nowhere");
    refused(&inside(&["CartPole-v1", "--algo", "ppq"]), "ppq");
    let onnx = |more: &[&str]| {
        let all = [&["export", "CartPole-v1", "--format", "onnx"], more].concat();
        Command::new(env!("CARGO_BIN_EXE_manyworlds")).current_dir(folder.path()).args(all).output().unwrap()
    };
    refused(&onnx(&["--train"]), "it belongs to --format html");
    refused(&onnx(&[]), "`manyworlds train CartPole-v1` makes one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
}
