// The frame of every page: head, brand, footer. Takes plain props; links the embedded style sheet.
import type { Child } from "hono/jsx";
import { APP_CSS, ICON_SVG } from "../static/index.ts";

/** What every page hands to the frame. */
export type LayoutProps = {
  readonly title: string;
  readonly version: string;
  readonly children: Child;
};

/** A whole HTML document. */
export function Layout({ title, version, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="theme-color" content="#1c1c1d" />
        <title>{title}</title>
        <link rel="icon" href={ICON_SVG.path} type="image/svg+xml" />
        <link rel="stylesheet" href={APP_CSS.path} />
      </head>
      <body>
        <div class="shell">
          <header class="brand-row">
            <a class="brand" href="/">
              <img src={ICON_SVG.path} alt="" />
              Dragon
            </a>
            <span class="version">{version}</span>
          </header>
          <main>{children}</main>
        </div>
      </body>
    </html>
  );
}
