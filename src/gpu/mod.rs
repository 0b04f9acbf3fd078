//! The device: buffers, kernels, recordings and reads, with every error as a value.

mod adapter;
mod buffer;
mod exchange;
mod form;
mod kernel;
mod ranks;
mod readback;
mod recording;
mod stopwatch;

pub use adapter::{AdapterChoice, adapters, missing_driver_hint};
pub(crate) use buffer::bytes_of;
pub use buffer::{Buffer, Memory};
pub use exchange::{Exchange, Exchanged, Joined};
pub use form::{Form, Forms, Share};
pub(crate) use kernel::workgroups;
pub use kernel::{Buffers, Kernel};
pub use ranks::{Rank, Ranks, Traffic, Transport};
pub use readback::{Arrived, Mapped, Readback};
pub use recording::{Pass, PassTime, Recording};
pub(crate) use stopwatch::{MOST_SPANS, Span, Stopwatch};

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Loop iterations that one invocation may make on a software adapter of Mesa, which ends loops without notice there.
pub const LOOP_BUDGET: u64 = 65_535;

/// Loop iterations that one invocation of a dispatch is planned for on a GPU, where nothing counts them: at a microsecond each a
/// second, which watchdogs of drivers and desktops leave a dispatch.
pub(crate) const GPU_LOOP_BUDGET: u64 = 1 << 20;

/// A device that is ready for work. Clones share it.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Gpu};
///
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?; // or "1" or "RTX".parse()?, by index or part of a name
/// println!("{} ({})", gpu.info().name, gpu.driver());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    /// The form that every kernel has, whatever the work; for tests and measurements.
    forced: Option<Form>,
    /// The others that it trains with.
    ranks: Option<Ranks>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first error that no caller was waiting for.
    error: Mutex<Option<String>>,
    lost: Mutex<Option<String>>,
    /// Staging memory that no read is using.
    staging: Mutex<Vec<wgpu::Buffer>>,
    /// Kernels that are compiled, by the key of their program.
    kernels: Mutex<HashMap<[u8; 32], Kernel>>,
    submissions: AtomicU64,
    readbacks: AtomicU64,
    /// Kernels that were asked for together, and how many of them are ready.
    wanted: AtomicU64,
    ready: AtomicU64,
}

/// How often the host has talked to the device; see [`Gpu::counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Submissions to the queue.
    pub submissions: u64,
    /// Reads from the device to the host.
    pub readbacks: u64,
}

impl Gpu {
    /// Opens an adapter with WebGPU's default limits; `largest_binding` (bytes) raises the limits of buffers where
    /// the work needs more and the adapter has it.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::AdapterNotFound`] or [`Error::Device`].
    pub fn new(choice: &AdapterChoice, largest_binding: u64) -> Result<Self> {
        Self::open(&adapter::choose(choice, adapters())?, largest_binding)
    }

    /// The same for one of several ranks on this host: where the choice is left to us they are shared out among the adapters that are
    /// as good as the best.
    ///
    /// # Errors
    /// Those of [`Gpu::new`].
    pub fn of_rank(choice: &AdapterChoice, local: Rank, largest_binding: u64) -> Result<Self> {
        let shared = if *choice == AdapterChoice::Auto { adapter::shared_out(adapters(), local.index) } else { None };
        match shared {
            Some(adapter) => Self::open(&adapter, largest_binding),
            None => Self::new(choice, largest_binding),
        }
    }

    /// Opens an adapter that can draw into a window, and makes the surface there.
    ///
    /// # Errors
    /// Those of [`Gpu::new`]; [`Error::Device`] where the window takes no surface, or the adapter cannot draw there.
    pub fn of_window(
        choice: &AdapterChoice,
        window: impl Into<wgpu::SurfaceTarget<'static>>,
    ) -> Result<(Self, wgpu::Adapter, wgpu::Surface<'static>)> {
        let instance = adapter::instance();
        let adapter = adapter::choose(choice, adapter::adapters_of(&instance))?;
        let refused = |reason: String| Error::Device { adapter: adapter.get_info().name, reason };
        let surface = instance.create_surface(window).map_err(|error| refused(error.to_string()))?;
        if !adapter.is_surface_supported(&surface) {
            return Err(refused("it cannot draw into this window; choose another one with --adapter".to_owned()));
        }
        Ok((Self::open(&adapter, 0)?, adapter, surface))
    }

    fn open(adapter: &wgpu::Adapter, largest_binding: u64) -> Result<Self> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let mut limits = wgpu::Limits::default();
        limits.max_storage_buffer_binding_size =
            limits.max_storage_buffer_binding_size.max(largest_binding).min(offered.max_storage_buffer_binding_size);
        limits.max_buffer_size = limits.max_buffer_size.max(largest_binding).min(offered.max_buffer_size);
        if info.backend == wgpu::Backend::Gl {
            limits = limits.or_worse_values_from(&offered);
        }
        let wanted = wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        let request = wgpu::DeviceDescriptor {
            label: Some("manyworlds"),
            required_features: adapter.features() & wanted,
            required_limits: limits,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&request))
            .map_err(|error| Error::Device { adapter: info.name.clone(), reason: error.to_string() })?;
        let gpu = Self::from_device(device, queue);
        gpu.install_handlers();
        Ok(gpu)
    }

    /// Uses a device that the caller made; its buffers can be shared without a copy. The device's handlers for errors and for
    /// its loss stay the caller's: errors that no call here waits for go to those.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use manyworlds::{Environment, Gpu, WorldPool, wgpu};
    ///
    /// let instance = wgpu::Instance::default();
    /// let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    /// let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;
    /// let gpu = Gpu::from_device(device, queue);
    /// let pool = WorldPool::new(&gpu, &Environment::load("Pendulum-v1")?, 1024, 1)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let info = device.adapter_info();
        Self { device, queue, info, forced: None, ranks: None, state: Arc::new(State::default()) }
    }

    /// Makes errors that no caller waits for, and the loss of the device, known to [`Gpu::check`].
    fn install_handlers(&self) {
        let handler = Arc::clone(&self.state);
        self.device.on_uncaptured_error(Arc::new(move |error| {
            handler.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }));
        let handler = Arc::clone(&self.state);
        self.device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                let text = if message.is_empty() { format!("{reason:?}") } else { message };
                handler.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
            }
        });
    }

    /// The underlying device.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The underlying queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Name, kind, backend and driver of the adapter.
    pub fn info(&self) -> &wgpu::AdapterInfo {
        &self.info
    }

    /// The form of the kernels that suits this adapter and long work.
    pub fn form(&self) -> Form {
        self.form_for(u64::MAX)
    }

    /// The form of the kernels for work that takes so many gradients of single samples, see [`Form`].
    pub fn form_for(&self, work: u64) -> Form {
        self.forms_of_work().of_work(work)
    }

    /// How the form follows from the work.
    pub fn forms_of_work(&self) -> Forms {
        match self.forced {
            Some(form) => Forms::Always(form),
            None if self.is_software() => Forms::Software(Form::subgroups(&self.info, self.device.features())),
            None => Forms::Hardware,
        }
    }

    /// Every form of the kernels that this adapter can run.
    pub fn forms(&self) -> Vec<Form> {
        Form::table(Form::subgroups(&self.info, self.device.features()))
    }

    /// This device with kernels in another form: for tests, measurements, and runs that are parts of longer work.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.forced = Some(form);
        self
    }

    /// This device as that of one of several ranks, which train together what is planned for it.
    #[must_use]
    pub fn with_ranks(mut self, ranks: Ranks) -> Self {
        self.ranks = Some(ranks);
        self
    }

    /// The ranks that it is one of.
    pub fn ranks(&self) -> Option<&Ranks> {
        self.ranks.as_ref()
    }

    /// Which of those that share the worlds of an agent it is of.
    pub fn rank(&self) -> Rank {
        self.ranks.as_ref().filter(|ranks| !ranks.deals()).map_or(Rank::ALONE, Ranks::rank)
    }

    /// Whether a processor plays the GPU.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Backend, driver and its version, in words.
    pub fn driver(&self) -> String {
        format!("{} {}", self.info.driver, self.info.driver_info).trim().to_owned()
    }

    /// How often the host has submitted work and read results so far.
    pub fn counts(&self) -> Counts {
        Counts {
            submissions: self.state.submissions.load(Ordering::Relaxed),
            readbacks: self.state.readbacks.load(Ordering::Relaxed),
        }
    }

    /// Fails if the device was lost or an error came up that no caller was waiting for.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] or [`Error::Gpu`].
    pub fn check(&self) -> Result<()> {
        if let Some(reason) = self.state.lost.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(Error::DeviceLost { reason });
        }
        match self.state.error.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(text) => Err(Error::Gpu(text)),
            None => Ok(()),
        }
    }

    /// Submits commands.
    pub(crate) fn submit_commands(&self, encoder: wgpu::CommandEncoder) -> wgpu::SubmissionIndex {
        self.state.submissions.fetch_add(1, Ordering::Relaxed);
        self.queue.submit([encoder.finish()])
    }

    /// Submits a recording.
    ///
    /// # Errors
    /// Those of [`Gpu::check`].
    pub fn submit(&self, recording: &Recording) -> Result<()> {
        let encoder = self.encode(recording, None)?;
        self.submit_commands(encoder);
        self.check()
    }

    /// Waits until everything that was submitted is done.
    ///
    /// # Errors
    /// Those of [`Gpu::check`].
    pub fn wait(&self) -> Result<()> {
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        waited.map(drop).map_err(|error| Error::DeviceLost { reason: error.to_string() })
    }
}
