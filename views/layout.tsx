// The frame of every page: head, navigation when somebody is signed in, footer. Takes plain props;
// links the embedded style sheet. Only pages that exist are in the navigation.
import type { Child } from "hono/jsx";
import { APP_CSS, ICON_SVG } from "../static/index.ts";
import { CsrfField } from "./components/form.tsx";

/** Who looks at the page. */
export type FrameVisitor = {
  readonly email: string;
  readonly role: "owner" | "trader" | "viewer";
  /** Goes into every form of the page. */
  readonly csrf: string;
};

/** What every page hands to the frame. */
export type Frame = {
  readonly version: string;
  /** Address of the page, to mark its entry. */
  readonly path: string;
  readonly visitor: FrameVisitor | null;
};

/** Props of a page in its frame. */
export type LayoutProps = {
  readonly title: string;
  readonly frame: Frame;
  readonly children: Child;
};

type Entry = { readonly href: string; readonly label: string; readonly ownerOnly?: true };
type Group = { readonly title: string | undefined; readonly entries: readonly Entry[] };

const GROUPS: readonly Group[] = [
  { title: undefined, entries: [{ href: "/", label: "Start" }] },
  {
    title: "People",
    entries: [
      { href: "/users", label: "Users", ownerOnly: true },
      { href: "/account", label: "Account" },
    ],
  },
  { title: "Learn", entries: [{ href: "/help", label: "Manual" }] },
];

function Navigation({ frame, visitor }: { frame: Frame; visitor: FrameVisitor }) {
  const isCurrent = ({ href }: Entry) =>
    href === "/" ? frame.path === "/" : `${frame.path}/`.startsWith(`${href}/`);
  return (
    <nav aria-label="Pages">
      {GROUPS.map(({ title, entries }) => (
        <div class="group">
          {title ? <p class="group-title">{title}</p> : null}
          <ul>
            {entries
              .filter((entry) => !entry.ownerOnly || visitor.role === "owner")
              .map((entry) => (
                <li>
                  <a href={entry.href} aria-current={isCurrent(entry) ? "page" : undefined}>
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

type SignedInProps = { frame: Frame; visitor: FrameVisitor; children: Child };

function SignedIn({ frame, visitor, children }: SignedInProps) {
  return (
    <body class="with-side">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class="side">
        <Brand />
        <input type="checkbox" id="menu" class="menu-toggle" aria-label="Show the menu" />
        <label for="menu" class="menu-button">
          Menu
        </label>
        <div class="side-body">
          <Navigation frame={frame} visitor={visitor} />
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
            </form>
          </div>
        </div>
      </div>
      <main id="content" tabindex={-1}>
        {children}
      </main>
    </body>
  );
}

/** A whole HTML document. */
export function Layout({ title, frame, children }: LayoutProps) {
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
      </head>
      {visitor ? (
        <SignedIn frame={frame} visitor={visitor}>
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
