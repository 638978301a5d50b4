// What book/_static/python/editor.min.js is made of. No build of the book needs Node; who renews
// the editor does, once, in a folder with this file:
//
//   npm install @codemirror/autocomplete@6.20.4 @codemirror/commands@6.11.1 \
//     @codemirror/lang-python@6.2.1 @codemirror/language@6.13.1 @codemirror/state@6.7.6 \
//     @codemirror/view@6.43.15 @lezer/highlight@1.2.5 esbuild@0.28.2
//   npx esbuild editor.mjs --bundle --minify --format=iife --global-name=CodeMirrorForPages \
//     --target=es2020 --legal-comments=none --outfile=editor.min.js

export {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
export { python, pythonLanguage } from "@codemirror/lang-python";
export {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
export { EditorState } from "@codemirror/state";
export { EditorView, keymap } from "@codemirror/view";
export { highlightTree, tagHighlighter, tags } from "@lezer/highlight";
