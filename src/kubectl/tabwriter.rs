//! Columns of text, as Go's text/tabwriter aligns them.

/// Aligns text whose cells end with tabs: a column is as wide as its widest cell plus `padding`,
/// at least `min_width`; it ends where a line has no cell in it. What follows the last tab of a
/// line belongs to no column.
pub(crate) fn align(text: &str, min_width: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut writer =
        Writer { lines: &lines, min_width, padding, widths: Vec::new(), out: &mut out };
    writer.format(0, lines.len());
    out
}

/// Columns that never get narrower: for tables whose rows come one after the other.
///
/// Models github.com/liggitt/tabwriter with RememberWidths.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Vec<usize>);

impl Remembered {
    /// Aligns more rows, all of as many cells.
    pub(crate) fn align(&mut self, text: &str, min_width: usize, padding: usize) -> String {
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let columns = cells.len().saturating_sub(1);
            self.0.resize(self.0.len().max(columns), min_width);
            for (width, cell) in self.0.iter_mut().zip(cells.iter().take(columns)) {
                *width = (*width).max(cell.chars().count() + padding);
            }
        }
        let mut out = String::with_capacity(text.len() * 2);
        for line in text.lines() {
            let mut cells = line.split('\t').peekable();
            let mut widths = self.0.iter();
            while let Some(cell) = cells.next() {
                out.push_str(cell);
                if let (Some(_), Some(width)) = (cells.peek(), widths.next()) {
                    let blanks = width.saturating_sub(cell.chars().count());
                    out.extend(core::iter::repeat_n(' ', blanks));
                }
            }
            out.push('\n');
        }
        out
    }
}

struct Writer<'a> {
    lines: &'a [Vec<&'a str>],
    min_width: usize,
    padding: usize,
    widths: Vec<usize>,
    out: &'a mut String,
}

impl Writer<'_> {
    fn has_cell(&self, line: usize, column: usize) -> bool {
        self.lines.get(line).is_some_and(|cells| column + 1 < cells.len())
    }

    fn format(&mut self, mut first: usize, end: usize) {
        let column = self.widths.len();
        let mut line = first;
        while line < end {
            if !self.has_cell(line, column) {
                line += 1;
                continue;
            }
            self.write(first, line);
            first = line;
            let mut width = self.min_width;
            while line < end && self.has_cell(line, column) {
                let cell = self.lines.get(line).and_then(|cells| cells.get(column));
                width = width.max(cell.map_or(0, |cell| cell.chars().count()) + self.padding);
                line += 1;
            }
            self.widths.push(width);
            self.format(first, line);
            self.widths.pop();
            first = line;
        }
        self.write(first, end);
    }

    fn write(&mut self, first: usize, end: usize) {
        for cells in self.lines.iter().take(end).skip(first) {
            for (column, cell) in cells.iter().enumerate() {
                self.out.push_str(cell);
                if let Some(width) = self.widths.get(column) {
                    let blanks = width.saturating_sub(cell.chars().count());
                    self.out.extend(core::iter::repeat_n(' ', blanks));
                }
            }
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = "NAME\tREADY\tAGE\nweb-1\t1/1\t8s\nx\t0/1\t100s\n";
        let aligned = "NAME    READY   AGE\nweb-1   1/1     8s\nx       0/1     100s\n";
        assert_eq!(align(text, 6, 3), aligned);
    }

    #[test]
    fn remembered_columns_only_grow() {
        let mut columns = Remembered::default();
        assert_eq!(columns.align("NAME\tAGE\nweb-1\t8s\n", 6, 3), "NAME    AGE\nweb-1   8s\n");
        assert_eq!(columns.align("x\t9s\n", 6, 3), "x       9s\n");
        assert_eq!(columns.align("web-100\t9s\n", 6, 3), "web-100   9s\n");
    }

    #[test]
    fn a_line_without_a_cell_ends_the_column() {
        let text = "Name:\tx\nLabels:\ta=b\nContainers:\n c:\n  Image:\tnginx\n  A:\ty\n";
        let aligned = "Name:    x\nLabels:  a=b\nContainers:\n c:\n  Image:  nginx\n  A:      y\n";
        assert_eq!(align(text, 0, 2), aligned);
    }
}
