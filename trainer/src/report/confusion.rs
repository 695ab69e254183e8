//! What was taken for what.

use anyhow::{Result, ensure};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{self, BLUE, INK, SOFT_INK, TEXT_SIZE};

/// Side of a cell, in pixels.
const CELL: i32 = 78;
/// Where the first cell begins, in pixels.
const ORIGIN: (i32, i32) = (190, 78);
/// Room at the right for each class's recall, in pixels.
const RECALL_ROOM: i32 = 92;
/// Room below for the names, in pixels.
const NAMES_ROOM: i32 = 84;

/// The confusion matrix: a row for each true class, a column for each predicted one, with counts, each cell as dark as
/// its share of the row, and each class's recall at the right. Names with `_` take two lines.
///
/// # Errors
/// If there are not as many rows and columns as names; else of the drawing library alone.
pub fn confusion(title: &str, names: &[&str], counts: &[Vec<u64>]) -> Result<String> {
    let square = counts.len() == names.len() && counts.iter().all(|row| row.len() == names.len());
    ensure!(square, "a confusion matrix of {} names needs as many rows and columns", names.len());
    let side = CELL * names.len() as i32;
    let size = ((ORIGIN.0 + side + RECALL_ROOM) as u32, (ORIGIN.1 + side + NAMES_ROOM) as u32);
    let (svg, ()) = style::picture(size, title, |root| {
        let label = |text: &str, place, style| root.draw(&Text::new(text.to_owned(), place, style));
        for (row, (name, counts)) in names.iter().zip(counts).enumerate() {
            let total: u64 = counts.iter().sum();
            let middle = ORIGIN.1 + CELL * row as i32 + CELL / 2;
            for (column, count) in counts.iter().enumerate() {
                let share = *count as f64 / total.max(1) as f64;
                let corner = (ORIGIN.0 + CELL * column as i32, ORIGIN.1 + CELL * row as i32);
                let cell = [(corner.0 + 1, corner.1 + 1), (corner.0 + CELL - 1, corner.1 + CELL - 1)];
                root.draw(&Rectangle::new(cell, shade(share).filled()))?;
                let color = match count {
                    0 => RGBColor(0xb8, 0xb8, 0xb8),
                    _ if share > 0.5 => WHITE,
                    _ => INK,
                };
                label(&count.to_string(), (corner.0 + CELL / 2, middle), style::centered(&color))?;
            }
            let recall = if total == 0 {
                "\u{2013}".to_owned()
            } else {
                format!("{:.1} %", 100.0 * counts[row] as f64 / total as f64)
            };
            let beside = style::centered(&INK);
            label(&recall, (ORIGIN.0 + side + RECALL_ROOM / 2, middle), beside)?;
            let right = ("sans-serif", TEXT_SIZE).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
            label(&name.replace('_', " "), (ORIGIN.0 - 10, middle), right)?;
            for (line, part) in name.split('_').enumerate() {
                let place = (ORIGIN.0 + CELL * row as i32 + CELL / 2, ORIGIN.1 + side + 10 + 18 * line as i32);
                label(part, place, style::text(TEXT_SIZE, &INK, HPos::Center))?;
            }
        }
        let soft = |side| style::text(TEXT_SIZE, &SOFT_INK, side);
        label("recall", (ORIGIN.0 + side + RECALL_ROOM / 2, ORIGIN.1 - 24), soft(HPos::Center))?;
        label("spoken as", (ORIGIN.0 - 10, ORIGIN.1 - 24), soft(HPos::Right))?;
        label("heard as", (ORIGIN.0 + side / 2, ORIGIN.1 + side + NAMES_ROOM - 28), soft(HPos::Center))?;
        Ok(())
    })?;
    Ok(svg)
}

/// From nearly white to the data's blue.
fn shade(share: f64) -> RGBColor {
    let between = |light: u8, dark: u8| (f64::from(light) + share * (f64::from(dark) - f64::from(light))).round() as u8;
    RGBColor(between(0xf3, BLUE.0), between(0xf6, BLUE.1), between(0xf9, BLUE.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_names_stand_in_the_picture() {
        let svg = confusion("test", &["angry", "pleasant_surprise"], &[vec![17, 3], vec![0, 0]]).unwrap();
        for text in ["17", "angry", "pleasant surprise", "85.0 %", "\u{2013}"] {
            assert!(svg.contains(&format!(">\n{text}\n<")), "{text} is missing");
        }
    }

    #[test]
    fn a_matrix_that_is_not_square_is_refused() {
        assert!(confusion("test", &["angry", "sad"], &[vec![1, 2]]).is_err());
    }
}
