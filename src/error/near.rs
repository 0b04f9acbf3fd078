//! Which of some names another one was meant to be: what stands behind every `did you mean`.

/// Letters that a name has at least, to be found within another one.
const SHORTEST: usize = 4;

/// The name that `wanted` is likely a slip of, in small letters: no more than one letter in three is another one, or one of
/// the two contains the other. None where nothing is near: a guess that is far off sends people on a walk.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(wanted);
    let near = |name: &'a str| {
        let other = plain(name);
        let (own, theirs) = (wanted.chars().count(), other.chars().count());
        let distance = strsim::osa_distance(&wanted, &other);
        let within = |long: &str, short: &str, length: usize| length >= SHORTEST && long.contains(short);
        let is_near =
            distance <= own.max(theirs) / 3 || within(&other, &wanted, own) || within(&wanted, &other, theirs);
        is_near.then_some((distance, name))
    };
    // the first of equals
    names.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The same in words, between what is wrong and what there is: `; did you mean 'gamma'?`, or `;` where no name is near.
pub fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, names).map_or_else(|| ";".to_owned(), |near| format!("; did you mean '{near}'?"))
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn only_what_is_near_is_suggested() {
        let envs =
            ["CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "TwoAction", "LQR", "Catch"];
        let settings = ["learning_rate", "num_steps", "ent_coef", "penalty", "gamma", "hidden", "norm_obs"];
        let algorithms = ["ppo", "a2c", "ddpg", "td3", "sac", "cem"];
        for (names, wanted, near) in [
            (&envs[..], "Pendulum", Some("Pendulum-v1")),
            (&envs, "cartpole", Some("CartPole-v1")),
            (&envs, "CartPole-v0", Some("CartPole-v1")),
            (&envs, "MountainCar", Some("MountainCar-v0")),
            (&envs, "two_action", Some("TwoAction")),
            (&envs, "LunarLander-v3", None),
            (&envs, "HalfCheetah-v5", None),
            (&envs, "Ant-v4", None),
            (&envs, "missing/", None),
            (&envs, "runs/first", None),
            (&envs, "", None),
            (&settings, "learning-rate", Some("learning_rate")),
            (&settings, "learing_rate", Some("learning_rate")),
            (&settings, "entropy_coef", Some("ent_coef")),
            (&settings, "n_steps", Some("num_steps")),
            (&settings, "steps", Some("num_steps")),
            (&settings, "hiden", Some("hidden")),
            (&settings, "gama", Some("gamma")),
            (&settings, "env", None),
            (&settings, "batch", None),
            (&settings, "gravity", None),
            (&algorithms, "a3c", Some("a2c")),
            (&algorithms, "dqn", None),
            (&algorithms, "impala", None),
        ] {
            assert_eq!(nearest(wanted, names.iter().copied()), near, "{wanted}");
        }
        assert_eq!(did_you_mean("gama", settings), "; did you mean 'gamma'?");
        assert_eq!(did_you_mean("batch", settings), ";");
    }
}
