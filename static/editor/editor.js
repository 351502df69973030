// The YAML editor: CodeMirror 6 behind four functions. Bundled by esbuild into one module that the
// page imports when the map is already up. All text that a person reads comes from the page.
import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, temporarilySetTabFocusMode } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics as lintDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
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
  ".cm-diagnostic": { font: "var(--text-2)/1.5 var(--sans)", borderLeft: "none", padding: "8px 12px" },
  ".cm-diagnostic-error": { color: "var(--ink)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { width: "10px", height: "10px", margin: "auto" },
  ".cm-lint-marker-error": { content: "''", background: "var(--bad)", borderRadius: "50%" },
  ".cm-lint-marker-warning": { content: "''", background: "var(--warn)", borderRadius: "2px" },
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

/**
 * Puts an editor into `host`. `page` holds `label`, `describedBy`, and the functions `change(text)`,
 * `apply()`, `complete(text, offset)` and `hover(text, offset)`; the last two answer JSON or nothing.
 */
export function create(host, text, page) {
  const names = new Compartment();
  const attributes = (label) => EditorView.contentAttributes.of({ "aria-label": label, "aria-multiline": "true", tabindex: "0", spellcheck: "false", autocapitalize: "off" });
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        codeFolding(),
        foldGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
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
          ...lintKeymap,
          ...foldKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
        names.of(attributes(page.label)),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.annotation(fromPage))) {
            page.change(update.state.doc.toString());
          }
        }),
      ],
    }),
  });
  return {
    setText(value) {
      if (value === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, annotations: fromPage.of(true), scrollIntoView: false });
      view.scrollDOM.scrollTop = 0;
    },
    /** `list` is JSON: objects of `line` (from 1), `from`, `to` (columns in characters), `severity`, `message`. */
    setDiagnostics(list) {
      const { doc } = view.state;
      const found = JSON.parse(list).map(({ line, from, to, severity, message }) => {
        const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
        const start = Math.min(at.from + from, at.to);
        return { from: start, to: Math.max(start, Math.min(at.from + to, at.to)), severity, message };
      });
      view.dispatch(lintDiagnostics(view.state, found));
    },
    setLabel(label) {
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
