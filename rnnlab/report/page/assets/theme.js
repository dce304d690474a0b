// How settings and other things are drawn, in light and dark, and on paper.

import { THEMES } from "rnnlab/themes.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = [];
let isPaper = false;

/** The colours and the style to draw with now. */
export const theme = () => THEMES[dark.matches && !isPaper ? "dark" : "light"];

/** What a function gives when it draws on white paper: for files and for print. */
export function onPaper(draw) {
  isPaper = true;
  try {
    return draw();
  } finally {
    isPaper = false;
  }
}

/** Call back, with whether it is for paper, when colours change and when the page is printed. */
export const onThemeChange = (callback) => listeners.push(callback);

const tell = (paper) => listeners.forEach((callback) => callback(paper));
dark.addEventListener("change", () => tell(isPaper));
addEventListener("beforeprint", () => tell(isPaper = true));
addEventListener("afterprint", () => tell(isPaper = false));

/** Colour, dash and symbol of a setting. */
export const look = ({ color, dash, symbol }) => ({ color: color[theme().name], dash, symbol });

/** The same of the index-th of things that are no settings: paths, gates. */
export const categoryLook = (index) => theme().looks[index % theme().looks.length];
