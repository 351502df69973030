//! How large the panels of a wide screen are.

/// A line between two panels that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Between the editor and the map.
    Editor,
    /// Between the map and the panel at its side.
    Side,
    /// Above the terminal.
    Terminal,
}

impl Split {
    /// The smallest and the largest size of its panel, in CSS pixels.
    pub const fn bounds(self) -> (u16, u16) {
        match self {
            Split::Editor => (240, 900),
            Split::Side => (260, 900),
            Split::Terminal => (110, 900),
        }
    }
}

/// How large the panels are, in CSS pixels; as the style sheet has it where nothing was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panes {
    editor: Option<u16>,
    side: Option<u16>,
    terminal: Option<u16>,
    /// Whether the terminal lies below everything, over the full width.
    pub is_wide: bool,
}

impl Panes {
    /// The size of a split's panel, if one was chosen.
    pub const fn size(&self, split: Split) -> Option<u16> {
        match split {
            Split::Editor => self.editor,
            Split::Side => self.side,
            Split::Terminal => self.terminal,
        }
    }

    /// Chooses the size of a split's panel; it stays within its bounds.
    pub fn choose(&mut self, split: Split, pixels: i32) {
        let (least, most) = split.bounds();
        let size = u16::try_from(pixels).unwrap_or(if pixels < 0 { least } else { most });
        let size = Some(size.clamp(least, most));
        match split {
            Split::Editor => self.editor = size,
            Split::Side => self.side = size,
            Split::Terminal => self.terminal = size,
        }
    }

    /// As the values of a style: only what was chosen.
    pub fn style(&self) -> String {
        let sizes =
            [("--w-editor", self.editor), ("--w-side", self.side), ("--h-term", self.terminal)];
        let own = sizes.into_iter().filter_map(|(name, size)| Some(format!("{name}:{}px;", size?)));
        own.collect()
    }

    /// To be remembered.
    pub fn to_text(&self) -> String {
        let text = |size: Option<u16>| size.map_or_else(String::new, |size| size.to_string());
        let sizes = [self.editor, self.side, self.terminal].map(text);
        format!("{},{}", sizes.join(","), u8::from(self.is_wide))
    }

    /// Reads what [`to_text`](Self::to_text) wrote; what is no size is none that was chosen.
    pub fn from_text(text: &str) -> Self {
        let parts: Vec<&str> = text.split(',').collect();
        let mut panes = Panes::default();
        for (at, split) in [Split::Editor, Split::Side, Split::Terminal].into_iter().enumerate() {
            if let Some(size) = parts.get(at).and_then(|part| part.parse().ok()) {
                panes.choose(split, size);
            }
        }
        panes.is_wide = parts.get(3) == Some(&"1");
        panes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_within_their_bounds_and_are_remembered() {
        let mut panes = Panes::default();
        assert_eq!(panes.style(), "");
        panes.choose(Split::Editor, 10);
        panes.choose(Split::Terminal, 9_999_999);
        panes.is_wide = true;
        assert_eq!(panes.style(), "--w-editor:240px;--h-term:900px;");
        assert_eq!(Panes::from_text(&panes.to_text()), panes);
        assert_eq!(Panes::from_text("x,-5,,"), {
            let mut least = Panes::default();
            least.choose(Split::Side, -5);
            least
        });
    }
}
