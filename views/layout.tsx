// The frame of every page: head, navigation when somebody is signed in, footer. Takes plain props;
// links the embedded style sheet. Only pages that exist are in the navigation.
import type { Child } from "hono/jsx";
import {
  ALPINE_JS,
  APP_CSS,
  ICON_SVG,
  PAGE_PARTS,
  type PagePart,
  SHELL_JS,
} from "../static/index.ts";
import { DemoBand } from "./components/demo-band.tsx";
import { CSRF_HEADER, CsrfField } from "./components/form.tsx";
import { KeysDialog } from "./components/keys-dialog.tsx";
import { KillDialog } from "./components/kill-form.tsx";
import { SearchDialog } from "./components/search.tsx";
import { BannerPlace } from "./components/trading-banner.tsx";
import { PAGES, type PageEntry, type PageRole, mayOpen } from "./navigation.ts";

/** Who looks at the page. */
export type FrameVisitor = {
  readonly email: string;
  readonly role: PageRole;
  /** Goes into every form of the page. */
  readonly csrf: string;
};

/** What every page hands to the frame. */
export type Frame = {
  readonly version: string;
  /** Address of the page, to mark its entry. */
  readonly path: string;
  readonly visitor: FrameVisitor | null;
  /** Whether invented prices may be among what it shows. */
  readonly isDemo?: boolean;
};

/** Props of a page in its frame. */
export type LayoutProps = {
  readonly title: string;
  readonly frame: Frame;
  /** Scripts and styles the page needs beside those of the frame; only signed-in pages have any. */
  readonly parts?: readonly PagePart[];
  /** Lets grids and charts use the whole window. */
  readonly isWide?: boolean;
  readonly children: Child;
};

function Navigation({ frame, visitor }: { frame: Frame; visitor: FrameVisitor }) {
  const pages = PAGES.filter((entry) => mayOpen(entry, visitor.role));
  const isCurrent = ({ href }: PageEntry) =>
    href === "/" ? frame.path === "/" : `${frame.path}/`.startsWith(`${href}/`);
  return (
    <nav aria-label="Pages">
      {[...new Set(pages.map(({ group }) => group))].map((group) => (
        <div class="group">
          {group ? <p class="group-title">{group}</p> : null}
          <ul>
            {pages
              .filter((entry) => entry.group === group)
              .map((entry) => (
                <li>
                  <a
                    href={entry.href}
                    data-key={entry.key}
                    aria-current={isCurrent(entry) ? "page" : undefined}
                  >
                    {entry.label}
                  </a>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function Brand() {
  return (
    <a class="brand" href="/">
      <img src={ICON_SVG.path} alt="" />
      Dragon
    </a>
  );
}

type SignedInProps = { frame: Frame; visitor: FrameVisitor; isWide: boolean; children: Child };

function SignedIn({ frame, visitor, isWide, children }: SignedInProps) {
  const mayStop = visitor.role !== "viewer";
  const headers = { "hx-headers:inherited": JSON.stringify({ [CSRF_HEADER]: visitor.csrf }) };
  return (
    <body class={isWide ? "with-side wide" : "with-side"} {...headers}>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class="side">
        <Brand />
        {mayStop ? (
          <a class="stop-button" href="/trading" data-opens="kill">
            Stop… <kbd class="wide-only">!</kbd>
          </a>
        ) : null}
        <input type="checkbox" id="menu" class="menu-toggle" aria-label="Show the menu" />
        <label for="menu" class="menu-button">
          Menu
        </label>
        <div class="side-body">
          <div>
            <button type="button" class="quiet search-button" data-opens="search">
              Search <kbd>/</kbd>
            </button>
            <Navigation frame={frame} visitor={visitor} />
          </div>
          <div class="who">
            <p class="who-name">{visitor.email}</p>
            <p class="muted">
              {visitor.role} · Dragon {frame.version}
            </p>
            <form method="post" action="/logout">
              <CsrfField csrf={visitor.csrf} />
              <button type="submit" class="quiet">
                Sign out
              </button>
              <button type="button" class="quiet keys-button" data-opens="keys" aria-label="Keys">
                ?
              </button>
            </form>
          </div>
        </div>
      </div>
      <main id="content" tabindex={-1}>
        <BannerPlace />
        {frame.isDemo ? <DemoBand /> : null}
        {children}
      </main>
      <div id="toasts" role="status" aria-live="polite"></div>
      <SearchDialog />
      <KeysDialog role={visitor.role} />
      {mayStop ? <KillDialog csrf={visitor.csrf} /> : null}
    </body>
  );
}

/** Alpine begins once everything it is told about has registered, hence its place at the end. */
function Scripts({ parts }: { parts: readonly PagePart[] }) {
  const own = parts.flatMap((part) => PAGE_PARTS[part].scripts);
  return (
    <>
      {[SHELL_JS, ...own, ALPINE_JS].map(({ path }) => (
        <script src={path} defer></script>
      ))}
    </>
  );
}

/** A whole HTML document. */
export function Layout({ title, frame, parts = [], isWide = false, children }: LayoutProps) {
  const { visitor } = frame;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="theme-color" content="#1c1c1d" />
        <title>{title}</title>
        <link rel="icon" href={ICON_SVG.path} type="image/svg+xml" />
        <link rel="stylesheet" href={APP_CSS.path} />
        {parts
          .flatMap((part) => PAGE_PARTS[part].css)
          .map(({ path }) => (
            <link rel="stylesheet" href={path} />
          ))}
        {visitor ? <Scripts parts={parts} /> : null}
      </head>
      {visitor ? (
        <SignedIn frame={frame} visitor={visitor} isWide={isWide}>
          {children}
        </SignedIn>
      ) : (
        <body>
          <div class="shell">
            <header class="brand-row">
              <Brand />
              <span class="version">{frame.version}</span>
            </header>
            <main>{children}</main>
          </div>
        </body>
      )}
    </html>
  );
}
