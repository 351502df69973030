// The YAML editor: CodeMirror 6 behind a few functions. Bundled by esbuild into one module that the
// page imports when the map is already up. All text that a person reads comes from the page.
import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, temporarilySetTabFocusMode } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, RangeSet, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, gutter, GutterMarker, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers, WidgetType } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Marks a change that the page made itself, so that it is not reported back to it. */
const fromPage = Annotation.define();

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-text)" },
  { tag: tags.content, color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--code-number)" },
  { tag: [tags.lineComment, tags.comment], color: "var(--mute)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace, tags.meta], color: "var(--mute)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "transparent", color: "var(--ink)", fontSize: "var(--text-code)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overscrollBehavior: "contain" },
  ".cm-content": { caretColor: "var(--accent)", padding: "var(--space-2) 0" },
  "&.cm-focused": { outline: "none" },
  ".cm-gutters": { backgroundColor: "transparent", border: "none", color: "var(--faint)" },
  ".cm-foldGutter": { opacity: "0", transition: "opacity .15s" },
  "&:hover .cm-foldGutter, &.cm-focused .cm-foldGutter": { opacity: "1" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "28px", padding: "0 4px 0 8px" },
  ".cm-activeLine": { backgroundColor: "var(--hover)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection) !important" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-foldPlaceholder": { background: "var(--sunken)", border: "none", color: "var(--mute)", padding: "0 6px" },
  ".cm-tooltip": { background: "var(--raised)", border: "1px solid var(--line)", borderRadius: "var(--radius-2)", boxShadow: "var(--shadow-2)", color: "var(--ink)", overflow: "hidden" },
  ".cm-tooltip-hover, .cm-completionInfo": { maxWidth: "360px", padding: "8px 12px", font: "var(--text-2)/1.5 var(--sans)", whiteSpace: "pre-line" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--text-code)", maxHeight: "14em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", opacity: ".7", fontStyle: "normal", marginLeft: "1em" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { textDecoration: "underline wavy var(--warn) 1.5px", textUnderlineOffset: "3px" },
  ".cm-faultGutter": { width: "14px" },
  ".cm-faultGutter .cm-gutterElement": { display: "grid", placeItems: "center" },
  ".cm-faultMark": { width: "9px", height: "9px", background: "var(--bad)", borderRadius: "50%" },
  ".cm-faultMark[data-warning]": { background: "var(--warn)", borderRadius: "2px" },
  ".cm-panels": { background: "var(--panel)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panels input, .cm-panels button": { font: "inherit" },
});

/** The spaces before the first word of a line are its depth: what completion needs to know. */
const completionSource = (complete) => (context) => {
  const word = context.matchBefore(/[\w./-]*/);
  if (!context.explicit && (!word || word.from === word.to)) return null;
  const answer = complete(context.state.doc.toString(), context.pos);
  if (!answer) return null;
  const options = JSON.parse(answer);
  if (!options.length) return null;
  return { from: word ? word.from : context.pos, options, validFor: /^[\w./-]*$/ };
};

const hoverSource = (hover) =>
  hoverTooltip((view, pos) => {
    const answer = hover(view.state.doc.toString(), pos);
    if (!answer) return null;
    const { from, to, text } = JSON.parse(answer);
    return {
      pos: from,
      end: to,
      above: true,
      create() {
        const dom = document.createElement("div");
        dom.textContent = text;
        return { dom };
      },
    };
  });

/** What is wrong: replaces the list of faults. */
const setFaults = StateEffect.define();

/** A fault under its line: what it is, Kubernetes' words, and the button that mends it. */
class FaultBlock extends WidgetType {
  constructor(fault, page) {
    super();
    this.fault = fault;
    this.page = page;
  }
  eq(other) {
    return JSON.stringify(other.fault) === JSON.stringify(this.fault);
  }
  toDOM() {
    const { fault, page } = this;
    const part = (tag, name, text, lang) => {
      const element = document.createElement(tag);
      element.className = name;
      element.textContent = text;
      if (lang) element.lang = lang;
      return element;
    };
    // What is around it is its own: a margin would not be counted into the height of the text.
    const room = part("div", "fault-room", "");
    const block = part("div", "fault", "");
    room.append(block);
    if (fault.severity === "warning") block.dataset.warning = "";
    const where = part("span", "where", fault.where);
    if (fault.path) where.append(part("code", "path", fault.path));
    block.append(where, part("b", "", fault.explanation));
    if (fault.words) block.append(part("code", "words", fault.words, "en"));
    if (fault.fix) {
      const button = part("button", "fix", fault.fix);
      button.title = fault.hint;
      button.addEventListener("click", () => page.fix(fault.number));
      block.append(button);
    }
    return room;
  }
  ignoreEvent() {
    return true;
  }
}

class FaultMark extends GutterMarker {
  constructor(isWarning) {
    super();
    this.isWarning = isWarning;
  }
  eq(other) {
    return other.isWarning === this.isWarning;
  }
  toDOM() {
    const mark = document.createElement("div");
    mark.className = "cm-faultMark";
    if (this.isWarning) mark.dataset.warning = "";
    return mark;
  }
}

/** The faults as decorations: underlined, marked in the gutter, and told under their line. */
const faultsOf = (doc, list, page) => {
  const marks = [];
  const lines = [];
  for (const fault of list) {
    const line = doc.line(Math.min(Math.max(fault.line, 1), doc.lines));
    const from = Math.min(line.from + fault.from, line.to);
    const to = Math.max(from, Math.min(line.from + fault.to, line.to));
    if (to > from) marks.push(Decoration.mark({ class: `cm-lintRange-${fault.severity}` }).range(from, to));
    marks.push(Decoration.widget({ widget: new FaultBlock(fault, page), block: true, side: 1 }).range(line.to));
    lines.push(new FaultMark(fault.severity === "warning").range(line.from));
  }
  return { marks: Decoration.set(marks, true), lines: RangeSet.of(lines, true) };
};

const faultField = (page) =>
  StateField.define({
    create: (state) => faultsOf(state.doc, [], page),
    update(value, transaction) {
      for (const effect of transaction.effects) {
        if (effect.is(setFaults)) return faultsOf(transaction.newDoc, effect.value, page);
      }
      if (!transaction.docChanged) return value;
      return { marks: value.marks.map(transaction.changes), lines: value.lines.map(transaction.changes) };
    },
    provide: (field) => EditorView.decorations.from(field, (value) => value.marks),
  });

/**
 * Puts an editor into `host`. `page` holds `label`, `describedBy` (the id of the text that says how
 * to leave), and the functions `change(text)`, `apply()`, `fix(number)`, `complete(text, offset)` and
 * `hover(text, offset)`; the last two answer JSON or nothing.
 */
export function create(host, key, text, page) {
  const names = new Compartment();
  const attributes = (label) => EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": page.describedBy, "aria-multiline": "true", tabindex: "0", spellcheck: "false", autocapitalize: "off" });
  const faults = faultField(page);
  let label = page.label;
  const extensions = () => [
    lineNumbers(),
    gutter({ class: "cm-faultGutter", markers: (view) => view.state.field(faults).lines }),
    codeFolding(),
    foldGutter(),
    history(),
    faults,
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    EditorView.cspNonce.of("editor"),
    yaml(),
    syntaxHighlighting(colours),
    look,
    autocompletion({ override: [completionSource(page.complete)], icons: false }),
    hoverSource(page.hover),
    keymap.of([
      { key: "Mod-Enter", run: () => (page.apply(), true) },
      { key: "Escape", run: temporarilySetTabFocusMode },
      ...completionKeymap,
      ...foldKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    names.of(attributes(label)),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((one) => one.annotation(fromPage))) {
        page.change(update.state.doc.toString());
      }
    }),
  ];
  const fresh = (doc) => EditorState.create({ doc, extensions: extensions() });
  // Whoever is already typing into the plain field goes on at the same place.
  const plain = host.parentElement.querySelector("textarea");
  const view = new EditorView({ parent: host, state: fresh(plain?.value ?? text) });
  if (plain && plain === document.activeElement) {
    view.dispatch({ selection: { anchor: Math.min(plain.selectionStart, view.state.doc.length) } });
    view.focus();
  }
  // Each text has a history of its own: what is undone in one never appears in another.
  const states = new Map();
  let shown = key;
  return {
    /** Shows the text of that key, with its history if it is as it was left. */
    show(next, value) {
      if (next === shown && value === view.state.doc.toString()) return;
      if (next !== shown) {
        states.set(shown, view.state);
        shown = next;
        const before = states.get(next);
        view.setState(before && before.doc.toString() === value ? before : fresh(value));
        view.dispatch({ effects: names.reconfigure(attributes(label)) });
        return;
      }
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, annotations: fromPage.of(true), scrollIntoView: false });
    },
    /**
     * `list` is JSON: objects of `number`, `line` (from 1), `from`, `to` (columns in characters),
     * `severity`, `where`, `path`, `explanation`, `words`, `fix` and `hint`.
     */
    setFaults(list) {
      const all = JSON.parse(list);
      view.dispatch({ effects: setFaults.of(all) });
      // Who is not writing sees the first of them, with what is said below its line.
      if (all.length === 0 || view.hasFocus) return;
      const line = view.state.doc.line(Math.min(Math.max(all[0].line, 1), view.state.doc.lines));
      view.dispatch({ effects: EditorView.scrollIntoView(line.to, { y: "nearest", yMargin: 150 }) });
    },
    setLabel(next) {
      label = next;
      view.dispatch({ effects: names.reconfigure(attributes(label)) });
    },
    goTo(line) {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
      view.focus();
    },
    destroy() {
      view.destroy();
    },
  };
}
