/* TeX as MathML for a screen reader and boxes for the eye, by KaTeX (MIT; its fonts OFL): a file of its own. */
import * as katex from "katex";
import "katex/dist/katex.css";
import "./styles/maths.css";

/* What a formula may be at most: `maxExpand` ends macros that call themselves. */
const LONGEST = 10_000; /* characters, half a second of work */
const OPTIONS: katex.KatexOptions = { strict: false, trust: false, maxSize: 50, maxExpand: 500 };

interface Part {
  attributes?: Record<string, string>;
  children?: Part[];
}

/* KaTeX's formula before it becomes nodes; its types leave it out. */
type Build = (source: string, options: katex.KatexOptions) => Part & { toNode(): Node };
const { __renderToDomTree: build } = katex as unknown as { __renderToDomTree: Build };

/** Set the formula in the place of its source, or say there what is wrong with it. */
export function typeset(box: HTMLElement, source: string, isBox: boolean): void {
  try {
    if (source.length > LONGEST) throw new Error(`A formula has at most ${LONGEST} characters`);
    const tree = build(source, { ...OPTIONS, displayMode: isBox });
    dropStyles(tree);
    box.replaceChildren(tree.toNode());
  } catch (error) {
    box.classList.add("is-wrong");
    box.title = (error as Error).message;
  }
}

/** The page's policy allows no style attributes; the MathML that has one is not for the eye anyway. */
function dropStyles(part: Part): void {
  delete part.attributes?.style;
  part.children?.forEach(dropStyles);
}
