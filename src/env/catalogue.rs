//! What is built in: names, files, families, and a sentence for each.

use super::Environment;
use serde::Serialize;

/// What environments have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Poles, carts and links, as everybody knows them from Gymnasium.
    #[serde(rename = "classic control")]
    Classic,
    /// Small problems whose solution is known.
    #[serde(rename = "textbook")]
    Textbook,
    /// Boards of cells.
    #[serde(rename = "games")]
    Game,
    /// Flight with the constants of a real vehicle.
    #[serde(rename = "robots")]
    Robot,
    /// One question each to an algorithm, for finding faults of it.
    #[serde(rename = "probes")]
    Probe,
}

impl Family {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Classic, Self::Textbook, Self::Game, Self::Robot, Self::Probe];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic control",
            Self::Textbook => "textbook",
            Self::Game => "games",
            Self::Robot => "robots",
            Self::Probe => "probes",
        }
    }
}

/// An environment that is built in.
pub(super) struct BuiltIn {
    pub name: &'static str,
    /// Its file under `shaders/`.
    pub path: &'static str,
    pub family: Family,
    /// What it asks for, in a sentence.
    pub summary: &'static str,
}

/// All of them.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "CartPole-v1",
        path: "env/cartpole.wgsl",
        family: Family::Classic,
        summary: "Balance a pole on a cart by pushing the cart.",
    },
    BuiltIn {
        name: "MountainCar-v0",
        path: "env/mountain_car.wgsl",
        family: Family::Classic,
        summary: "Rock a weak car out of a valley.",
    },
    BuiltIn {
        name: "MountainCarContinuous-v0",
        path: "env/mountain_car_continuous.wgsl",
        family: Family::Classic,
        summary: "The same with a force instead of choices.",
    },
    BuiltIn {
        name: "Pendulum-v1",
        path: "env/pendulum.wgsl",
        family: Family::Classic,
        summary: "Swing a rod up by a weak torque and hold it there.",
    },
    BuiltIn {
        name: "Acrobot-v1",
        path: "env/acrobot.wgsl",
        family: Family::Classic,
        summary: "Swing the tip of two links above a bar.",
    },
    BuiltIn {
        name: "SimpleRegulator",
        path: "env/simple_regulator.wgsl",
        family: Family::Textbook,
        summary: "Drive a number to zero, under noise.",
    },
    BuiltIn {
        name: "TwoAction",
        path: "env/two_action.wgsl",
        family: Family::Textbook,
        summary: "One state and two actions: the smallest policy.",
    },
    BuiltIn {
        name: "LQR",
        path: "env/lqr.wgsl",
        family: Family::Textbook,
        summary: "Bring a linear system to rest at a quadratic cost.",
    },
    BuiltIn {
        name: "HexWorld",
        path: "env/hex_world.wgsl",
        family: Family::Textbook,
        summary: "Find the way to a reward on 24 hexes.",
    },
    BuiltIn {
        name: "Bandit",
        path: "env/bandit.wgsl",
        family: Family::Textbook,
        summary: "Choose the best of ten arms.",
    },
    BuiltIn {
        name: "DeepSea",
        path: "env/deep_sea.wgsl",
        family: Family::Textbook,
        summary: "Find a treasure that random steps do not: exploration.",
    },
    BuiltIn {
        name: "Catch",
        path: "env/catch.wgsl",
        family: Family::Game,
        summary: "Move a paddle under a falling ball.",
    },
    BuiltIn {
        name: "ProbeValue",
        path: "env/probe_value.wgsl",
        family: Family::Probe,
        summary: "Is a constant reward valued?",
    },
    BuiltIn {
        name: "ProbeBackward",
        path: "env/probe_backward.wgsl",
        family: Family::Probe,
        summary: "Do values depend on the observation?",
    },
    BuiltIn {
        name: "ProbeDiscount",
        path: "env/probe_discount.wgsl",
        family: Family::Probe,
        summary: "Is a later reward discounted?",
    },
    BuiltIn {
        name: "ProbePolicy",
        path: "env/probe_policy.wgsl",
        family: Family::Probe,
        summary: "Does the better action win?",
    },
    BuiltIn {
        name: "ProbePolicyObservation",
        path: "env/probe_policy_observation.wgsl",
        family: Family::Probe,
        summary: "Does it, where it depends on the observation?",
    },
    BuiltIn {
        name: "ProbeTruncation",
        path: "env/probe_truncation.wgsl",
        family: Family::Probe,
        summary: "Is a truncated step valued as one that goes on?",
    },
    BuiltIn {
        name: "ProbeReset",
        path: "env/probe_reset.wgsl",
        family: Family::Probe,
        summary: "Do episodes stay apart?",
    },
    BuiltIn {
        name: "ProbeDelay",
        path: "env/probe_delay.wgsl",
        family: Family::Probe,
        summary: "Is a reward given to the action before?",
    },
    BuiltIn {
        name: "QuadrotorHover",
        path: "env/quadrotor_hover.wgsl",
        family: Family::Robot,
        summary: "Fly a quadrotor to the origin and hold it there.",
    },
    BuiltIn {
        name: "QuadrotorWaypoint",
        path: "env/quadrotor_waypoint.wgsl",
        family: Family::Robot,
        summary: "Fly a quadrotor through random waypoints.",
    },
    BuiltIn {
        name: "Breakout",
        path: "env/breakout.wgsl",
        family: Family::Game,
        summary: "Return a ball and break bricks (MinAtar).",
    },
    BuiltIn {
        name: "SpaceInvaders",
        path: "env/space_invaders.wgsl",
        family: Family::Game,
        summary: "Shoot waves of aliens, evade their bullets (MinAtar).",
    },
];

impl Environment {
    fn built_in(&self) -> Option<&'static BuiltIn> {
        BUILT_IN.iter().find(|known| known.name == self.name()).filter(|_| self.is_built_in())
    }

    /// The family of a built-in environment.
    pub fn family(&self) -> Option<Family> {
        self.built_in().map(|known| known.family)
    }

    /// What it is, in a sentence: of a file the first line of its header.
    pub fn summary(&self) -> Option<String> {
        self.built_in().map(|known| known.summary.to_owned()).or_else(|| self.about())
    }
}
