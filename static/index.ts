// The files pages link to, embedded as text. Read by web/routes/static-files.ts and by the layout;
// a file that is not in this list is never served.
import appCss from "./app.css" with { type: "text" };
import iconSvg from "./icon.svg" with { type: "text" };
import partsCss from "./parts.css" with { type: "text" };
import shellCss from "./shell.css" with { type: "text" };

/** One embedded file; `path` holds the content hash, so it may be cached for ever. */
export type StaticFile = {
  readonly path: string;
  readonly type: string;
  readonly text: string;
};

function embed(name: string, extension: string, type: string, text: string): StaticFile {
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 10);
  return { path: `/static/${name}.${hash}.${extension}`, type, text };
}

/** The style sheet; later parts win. */
export const APP_CSS = embed(
  "app",
  "css",
  "text/css; charset=utf-8",
  [appCss, partsCss, shellCss].join("\n"),
);
/** The mark in the header and the browser tab. */
export const ICON_SVG = embed("icon", "svg", "image/svg+xml", iconSvg);
/** Everything that is served below /static. */
export const STATIC_FILES: readonly StaticFile[] = [APP_CSS, ICON_SVG];
