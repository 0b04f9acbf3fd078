//! The picture that a kernel draws: its tiles and its camera.

@bind var<uniform> mw_picture: MwPicture;
