//! `manyworlds render --watch`: the worlds in a window. Its surface gets the picture from the buffer that it was drawn in.

use super::{Player, Render};
use crate::cli::ExitCode;
use crate::error::shown;
use crate::gpu::Gpu;
use crate::render::Show;
use crate::{Error, Result, wgpu};
use std::sync::Arc;
use std::time::{Duration, Instant};
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{ElementState, MouseButton, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::window::{Window, WindowId};

/// Steps of a frame, or frames of a step, are at most 2 to this.
const FASTEST: i32 = 10;
const SLOWEST: i32 = -5;
/// Steps of a frame at most, between which no key is seen.
const MOST_STEPS: u32 = 10_000;
/// Radians that the camera turns for a pixel of the mouse's way.
const TURN: f64 = 0.008;

/// Opens a window and shows the worlds until it is closed.
pub fn watch(render: &Render) -> Result<ExitCode> {
    let no_window = |reason: String| Error::Setting {
        name: "watch".to_owned(),
        reason: format!("there is no display to open a window on ({reason}); film the worlds instead: -o film.gif"),
    };
    #[cfg(target_os = "linux")]
    if ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty())) {
        return Err(no_window("neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned()));
    }
    let events = EventLoop::new().map_err(|error| no_window(one_line(&error.to_string())))?;
    let player = render.player()?;
    let mut watching = Watching { render, player, screen: None, failed: None };
    events.run_app(&mut watching).map_err(|error| no_window(one_line(&error.to_string())))?;
    match watching.failed {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is to be shown, and where once there is a window.
struct Watching<'a> {
    render: &'a Render,
    player: Player,
    screen: Option<Screen>,
    failed: Option<Error>,
}

/// A window with worlds in it.
struct Screen {
    window: Arc<Window>,
    gpu: Gpu,
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
    blit: wgpu::RenderPipeline,
    bind_group: wgpu::BindGroup,
    sizes: wgpu::Buffer,
    show: Show,
    name: String,
    paused: bool,
    /// 2 to this is steps a frame, or below 0 frames a step.
    speed: i32,
    /// Steps of a frame at speed 0.
    steps: u32,
    frame: Duration,
    due: Instant,
    frames: u32,
    angle: f64,
    mouse: Option<f64>,
    held: bool,
}

impl ApplicationHandler for Watching<'_> {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.screen.is_some() {
            return;
        }
        match Screen::open(self.render, &self.player, events) {
            Ok(screen) => self.screen = Some(screen),
            Err(error) => self.end(events, error),
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(screen) = &mut self.screen else { return };
        let done = match event {
            WindowEvent::CloseRequested => {
                events.exit();
                Ok(())
            }
            WindowEvent::Resized(size) => {
                screen.resize(size);
                Ok(())
            }
            WindowEvent::RedrawRequested => screen.redraw(),
            WindowEvent::MouseInput { state, button: MouseButton::Left, .. } => {
                screen.held = state == ElementState::Pressed;
                Ok(())
            }
            WindowEvent::CursorMoved { position, .. } => {
                screen.moved(position.x);
                Ok(())
            }
            WindowEvent::KeyboardInput { event, .. } if event.state == ElementState::Pressed => {
                match event.logical_key.as_ref() {
                    Key::Named(NamedKey::Escape) | Key::Character("q") => {
                        events.exit();
                        Ok(())
                    }
                    key => screen.pressed(&key),
                }
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            self.end(events, error);
        }
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let Some(screen) = &mut self.screen else { return };
        if let Err(error) = screen.tick() {
            return self.end(events, error);
        }
        events.set_control_flow(if screen.paused { ControlFlow::Wait } else { ControlFlow::WaitUntil(screen.due) });
    }
}

impl Watching<'_> {
    fn end(&mut self, events: &ActiveEventLoop, error: Error) {
        self.failed.get_or_insert(error);
        events.exit();
    }
}

impl Screen {
    fn open(render: &Render, player: &Player, events: &ActiveEventLoop) -> Result<Self> {
        let refused = |reason: String| Error::Setting { name: "watch".to_owned(), reason };
        let size = PhysicalSize::new(render.size, render.size);
        let attributes = Window::default_attributes().with_title("manyworlds").with_inner_size(size);
        let window = events.create_window(attributes);
        let window = Arc::new(window.map_err(|error| refused(format!("no window can be opened: {error}")))?);
        let (gpu, adapter, surface) = Gpu::of_window(&render.adapter.adapter, Arc::clone(&window))?;
        let show = render.show(&gpu, player)?;
        let _ = window.request_inner_size(PhysicalSize::new(show.width(), show.height()));
        let inner = window.inner_size();
        let config = surface.get_default_config(&adapter, inner.width.max(1), inner.height.max(1));
        let mut config = config.ok_or_else(|| refused("the adapter has no format for this window".to_owned()))?;
        let formats = surface.get_capabilities(&adapter).formats;
        config.format = formats.iter().copied().find(|format| !format.is_srgb()).unwrap_or(config.format);
        surface.configure(gpu.device(), &config);
        let device = gpu.device();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("blit"),
            source: wgpu::ShaderSource::Wgsl(include_str!("blit.wgsl").into()),
        });
        let blit = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("blit"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("colour"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(config.format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        let sizes = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("sizes"),
            size: 32,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("blit"),
            layout: &blit.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: sizes.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: show.pixels().raw().as_entire_binding() },
            ],
        });
        let frame = Duration::from_secs_f64(1.0 / render.fps);
        let name = format!("{}, {} worlds", shown(player.env().name()), render.worlds);
        let screen = Self {
            window,
            gpu,
            surface,
            config,
            blit,
            bind_group,
            sizes,
            show,
            name,
            paused: false,
            speed: 0,
            steps: render.speed,
            frame,
            due: Instant::now(),
            frames: 0,
            angle: 0.0,
            mouse: None,
            held: false,
        };
        screen.write_sizes();
        screen.tell();
        screen.show.draw()?;
        screen.window.request_redraw();
        Ok(screen)
    }

    /// What the title says.
    fn tell(&self) {
        let steps = self.steps_of_frame();
        let speed = match self.speed {
            ..0 => format!("a step every {} frames", 1 << -self.speed),
            _ if steps == 1 => "a step a frame".to_owned(),
            _ => format!("{steps} steps a frame"),
        };
        let speed = if self.paused { "paused".to_owned() } else { speed };
        self.window.set_title(&format!("{}: step {}, {speed}", self.name, self.show.steps()));
    }

    fn write_sizes(&self) {
        let (picture, window) = ([self.show.width(), self.show.height()], [self.config.width, self.config.height]);
        let linear = u32::from(self.config.format.is_srgb());
        let words = [picture[0], picture[1], window[0], window[1], linear, 0, 0, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.gpu.queue().write_buffer(&self.sizes, 0, &bytes);
    }

    fn resize(&mut self, size: PhysicalSize<u32>) {
        self.config.width = size.width.max(1);
        self.config.height = size.height.max(1);
        self.surface.configure(self.gpu.device(), &self.config);
        self.write_sizes();
        self.window.request_redraw();
    }

    fn pressed(&mut self, key: &Key<&str>) -> Result<()> {
        match key {
            Key::Named(NamedKey::Space) => {
                self.paused = !self.paused;
                self.due = Instant::now();
            }
            Key::Named(NamedKey::ArrowRight) => {
                self.paused = true;
                self.advance(1)?;
            }
            Key::Named(NamedKey::ArrowUp) => self.speed = (self.speed + 1).min(FASTEST),
            Key::Named(NamedKey::ArrowDown) => self.speed = (self.speed - 1).max(SLOWEST),
            Key::Character("r") => {
                self.show.reset()?;
                self.advance(0)?;
            }
            _ => {}
        }
        self.tell();
        Ok(())
    }

    fn moved(&mut self, x: f64) {
        let before = self.mouse.replace(x).filter(|_| self.held);
        if let Some(before) = before {
            self.angle -= TURN * (x - before);
            self.show.turn_camera(self.angle as f32);
            if self.show.draw().is_ok() {
                self.window.request_redraw();
            }
        }
    }

    /// Steps the worlds where their time has come.
    fn tick(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.paused || now < self.due {
            return Ok(());
        }
        // what was late is not made up for
        self.due = (self.due + self.frame).max(now);
        self.frames += 1;
        if self.speed < 0 && !self.frames.is_multiple_of(1 << -self.speed) {
            return Ok(());
        }
        self.advance(self.steps_of_frame())
    }

    fn steps_of_frame(&self) -> u32 {
        (self.steps << self.speed.max(0)).min(MOST_STEPS)
    }

    fn advance(&mut self, steps: u32) -> Result<()> {
        for _ in 0..steps {
            self.show.step()?;
        }
        self.show.draw()?;
        // no more is queued than is seen
        self.gpu.wait()?;
        self.tell();
        self.window.request_redraw();
        Ok(())
    }

    fn redraw(&mut self) -> Result<()> {
        let texture = match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture) => texture,
            wgpu::CurrentSurfaceTexture::Outdated | wgpu::CurrentSurfaceTexture::Lost => {
                self.surface.configure(self.gpu.device(), &self.config);
                self.window.request_redraw();
                return Ok(());
            }
            _ => return self.gpu.check(),
        };
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("blit"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.blit);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.draw(0..3, 0..1);
        drop(pass);
        self.gpu.queue().submit([encoder.finish()]);
        self.window.pre_present_notify();
        self.gpu.queue().present(texture);
        self.gpu.check()
    }
}
