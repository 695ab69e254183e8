//! Values over time and something else, as colours.
//!
//! plotters draws the axes; the colours themselves are one small GIF inside the SVG, for a rectangle a cell
//! would make files of many megabytes.

use anyhow::{Context, Result};
use base64::Engine;
use plotters::prelude::*;

use super::axis::Axis;
use super::style::{self, Area, TITLE_ROOM};

/// Size of the picture, in pixels.
const SIZE: (u32, u32) = (960, 420);
/// Room at the right for the colour scale, in pixels.
const SCALE_ROOM: u32 = 120;
/// Colours of the scale: more than an eye tells apart, few enough to compress.
const COLORS: usize = 96;

/// What a picture of values over time consists of.
pub struct Heatmap<'a> {
    /// Stands above.
    pub title: &'a str,
    /// Duration, in seconds.
    pub seconds: f64,
    /// What lies on the vertical axis, with its unit.
    pub vertical_name: &'a str,
    /// The vertical axis.
    pub vertical: Axis,
    /// What the colours mean, with their unit.
    pub value_name: &'a str,
    /// Values of the first and the last colour; what lies beyond has these colours too.
    pub value_range: (f64, f64),
    /// The colours, evenly spaced, from low to high.
    pub colors: &'a [RGBColor],
}

/// Draws what `value` says about each time in seconds and place on the vertical axis.
///
/// # Errors
/// Of the drawing libraries alone.
pub fn heatmap(map: &Heatmap<'_>, value: impl Fn(f64, f64) -> f64) -> Result<String> {
    let (low, high) = map.value_range;
    let scale = DerivedColorMap::new(map.colors);
    let palette: Vec<RGBColor> = (0..COLORS).map(|n| scale.get_color(n as f64 / (COLORS - 1) as f64)).collect();
    let color_of = |value: f64| (((value - low) / (high - low)).clamp(0.0, 1.0) * (COLORS - 1) as f64).round() as u8;
    let (svg, (plot, bar)) = style::picture(SIZE, map.title, |root| {
        let (left, right) = root.margin(TITLE_ROOM, 8, 4, 12).split_horizontally(SIZE.0 - SCALE_ROOM);
        Ok((draw_axes(&left, map)?, draw_scale(&right, map)?))
    })?;
    let picture = pixels(&plot, |x, y| color_of(value(x * map.seconds, map.vertical.at(y))));
    let bar_picture = pixels(&bar, |_, y| (y * (COLORS - 1) as f64).round() as u8);
    let svg = embed(&svg, &plot, &gif(&plot, &palette, &picture)?)?;
    embed(&svg, &bar, &gif(&bar, &palette, &bar_picture)?)
}

/// A rectangle of the picture, in pixels.
struct Frame {
    left: i32,
    top: i32,
    width: u32,
    height: u32,
}

impl Frame {
    fn of<CT: plotters::coord::CoordTranslate>(area: &DrawingArea<SVGBackend<'_>, CT>) -> Self {
        let (x, y) = area.get_pixel_range();
        Self { left: x.start, top: y.start, width: x.len() as u32, height: y.len() as u32 }
    }
}

fn draw_axes(area: &Area<'_>, map: &Heatmap<'_>) -> Result<Frame> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_right(14)
        .x_label_area_size(46)
        .y_label_area_size(78)
        .build_cartesian_2d(Axis::linear(0.0, map.seconds, 8), map.vertical.clone())?;
    style::axes(&mut chart, "time (s)", map.vertical_name, false)?;
    Ok(Frame::of(chart.plotting_area()))
}

fn draw_scale(area: &Area<'_>, map: &Heatmap<'_>) -> Result<Frame> {
    let (low, high) = map.value_range;
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_bottom(46)
        .right_y_label_area_size(78)
        .build_cartesian_2d(Axis::linear(0.0, 1.0, 1), Axis::linear(low, high, 5))?;
    style::axes(&mut chart, "", map.value_name, false)?;
    Ok(Frame::of(chart.plotting_area()))
}

/// Colours of a frame, row by row from the top; `color` gets the middle of each pixel, both in [0, 1], upwards.
fn pixels(frame: &Frame, color: impl Fn(f64, f64) -> u8) -> Vec<u8> {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let row = |y: u32| {
        let color = &color;
        let upwards = 1.0 - (f64::from(y) + 0.5) / height;
        (0..frame.width).map(move |x| color((f64::from(x) + 0.5) / width, upwards))
    };
    (0..frame.height).flat_map(row).collect()
}

fn gif(frame: &Frame, palette: &[RGBColor], pixels: &[u8]) -> Result<Vec<u8>> {
    let (width, height) = (u16::try_from(frame.width)?, u16::try_from(frame.height)?);
    let palette: Vec<u8> = palette.iter().flat_map(|color| [color.0, color.1, color.2]).collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette)?;
    encoder.write_frame(&gif::Frame::from_indexed_pixels(width, height, pixels, None))?;
    drop(encoder);
    Ok(bytes)
}

/// Puts an image on the background, which is the first element, and under everything else.
fn embed(svg: &str, frame: &Frame, gif: &[u8]) -> Result<String> {
    let Frame { left, top, width, height } = frame;
    let (background, rest) = svg.split_once("/>\n").context("a picture begins with its background")?;
    let data = base64::engine::general_purpose::STANDARD.encode(gif);
    Ok(format!(
        "{background}/>\n<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
         preserveAspectRatio=\"none\" href=\"data:image/gif;base64,{data}\"/>\n{rest}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_noise_stays_small() {
        let map = Heatmap {
            title: "noise",
            seconds: 3.0,
            vertical_name: "frequency (Hz)",
            vertical: Axis::logarithmic(50.0, 11_025.0),
            value_name: "level (dB)",
            value_range: (-80.0, 0.0),
            colors: &[BLACK, WHITE],
        };
        let svg = heatmap(&map, |time, hz| -80.0 * (time * 1e4 + hz).sin().abs()).unwrap();
        assert!(svg.len() < 400_000, "{} bytes", svg.len());
        assert_eq!(svg.matches("<image").count(), 2);
    }
}
