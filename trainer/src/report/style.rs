//! One look for all pictures: dark grey on white, thin light grids, two colours that the colour-blind tell apart.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Text that explains.
pub const SOFT_INK: RGBColor = RGBColor(0x6e, 0x6e, 0x6e);
/// Lines behind the data.
pub const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
/// First colour of data.
pub const BLUE: RGBColor = RGBColor(0x2b, 0x6c, 0xa3);
/// Second colour of data.
pub const ORANGE: RGBColor = RGBColor(0xd2, 0x6a, 0x1b);

/// Height of titles, in pixels.
pub const TITLE_SIZE: u32 = 21;
/// Height of all other text, in pixels.
pub const TEXT_SIZE: u32 = 16;
/// Room above a chart for its title and legend, in pixels.
pub const TITLE_ROOM: i32 = 44;

/// Where pictures are drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A picture of that many pixels, its title at the upper left, and what `draw` puts on it.
///
/// # Errors
/// What `draw` returns.
pub fn picture<T>(
    (width, height): (u32, u32),
    title: &str,
    draw: impl FnOnce(&Area<'_>) -> Result<T>,
) -> Result<(String, T)> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (16, 14), text(TITLE_SIZE, &INK, HPos::Left)))?;
    let drawn = draw(&root)?;
    root.present()?;
    drop(root);
    Ok((svg, drawn))
}

/// Text of `size` pixels, its anchor at the top and at `side`.
pub fn text(size: u32, color: &RGBColor, side: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(color).pos(Pos::new(side, VPos::Top))
}

/// Text of the usual size, centered on its anchor.
pub fn centered(color: &RGBColor) -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE).into_font().color(color).pos(Pos::new(HPos::Center, VPos::Center))
}

/// A chart between two axes.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Draws axes with their names (an empty one for none), their numbers and, on `grid`, thin lines behind the data.
///
/// # Errors
/// Of the backend.
pub fn axes(chart: &mut Chart<'_, '_>, x_name: &str, y_name: &str, grid: bool) -> Result<()> {
    let lines = if grid { GRID.to_rgba() } else { TRANSPARENT };
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(lines)
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", TEXT_SIZE, &INK))
        .x_desc(x_name)
        .y_desc(y_name)
        .draw()?;
    Ok(())
}

/// Names of lines from the right end of the title's row leftwards, each beside a piece of its line.
///
/// # Errors
/// Of the backend.
pub fn legend(root: &Area<'_>, right: i32, entries: &[(&str, RGBColor)]) -> Result<()> {
    let mut x = right;
    for (name, color) in entries.iter().rev() {
        // No font is at hand to measure with; this is wide enough for any sans-serif.
        x -= 7 * name.chars().count() as i32 + 4;
        root.draw(&Text::new((*name).to_owned(), (x, 18), text(TEXT_SIZE, &INK, HPos::Left)))?;
        root.draw(&PathElement::new(vec![(x - 30, 25), (x - 8, 25)], color.stroke_width(3)))?;
        x -= 50;
    }
    Ok(())
}
