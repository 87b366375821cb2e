// Licences of the native programs that come with Dragon but are not npm packages of their own:
// the runtime and the parts of the bundled PostgreSQL. Printed by `dragon licenses`.

const POSTGRESQL = `PostgreSQL Database Management System
(formerly known as Postgres, then as Postgres95)

Portions Copyright (c) 1996-2026, PostgreSQL Global Development Group
Portions Copyright (c) 1994, The Regents of the University of California

Permission to use, copy, modify, and distribute this software and its documentation for any
purpose, without fee, and without a written agreement is hereby granted, provided that the above
copyright notice and this paragraph and the following two paragraphs appear in all copies.

IN NO EVENT SHALL THE UNIVERSITY OF CALIFORNIA BE LIABLE TO ANY PARTY FOR DIRECT, INDIRECT,
SPECIAL, INCIDENTAL, OR CONSEQUENTIAL DAMAGES, INCLUDING LOST PROFITS, ARISING OUT OF THE USE OF
THIS SOFTWARE AND ITS DOCUMENTATION, EVEN IF THE UNIVERSITY OF CALIFORNIA HAS BEEN ADVISED OF
THE POSSIBILITY OF SUCH DAMAGE.

THE UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS ANY WARRANTIES, INCLUDING, BUT NOT LIMITED
TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE. THE SOFTWARE
PROVIDED HEREUNDER IS ON AN "AS IS" BASIS, AND THE UNIVERSITY OF CALIFORNIA HAS NO OBLIGATIONS
TO PROVIDE MAINTENANCE, SUPPORT, UPDATES, ENHANCEMENTS, OR MODIFICATIONS.`;

/** One native part; `text` is the licence or a summary with its source. */
export type NativeNotice = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
};

/** Everything native, the version of the server as the package names it. */
export const NATIVE_NOTICES: readonly NativeNotice[] = [
  { name: "PostgreSQL", version: "18.4", licence: "PostgreSQL", text: POSTGRESQL },
  {
    name: "embedded-postgres-binaries",
    version: "18.4",
    licence: "Apache-2.0",
    text: "The build of the bundled PostgreSQL. Copyright its authors (zonkyio). Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0",
  },
  {
    name: "ICU",
    version: "60",
    licence: "Unicode-3.0",
    text: "Part of the bundled PostgreSQL. Copyright © 1991-2026 Unicode, Inc. and others. Terms: https://www.unicode.org/license.txt",
  },
  {
    name: "OpenSSL",
    version: "1.1",
    licence: "OpenSSL AND SSLeay",
    text: "Part of the bundled PostgreSQL (not used: it listens on a local socket only). This product includes software developed by the OpenSSL Project for use in the OpenSSL Toolkit (https://www.openssl.org/). This product includes cryptographic software written by Eric Young (eay@cryptsoft.com).",
  },
  {
    name: "libxml2",
    version: "2",
    licence: "MIT",
    text: "Part of the bundled PostgreSQL. Copyright (C) 1998-2012 Daniel Veillard. All Rights Reserved. Licensed under the MIT licence: https://gitlab.gnome.org/GNOME/libxml2/-/blob/master/Copyright",
  },
  {
    name: "libxslt",
    version: "1",
    licence: "MIT",
    text: "Part of the bundled PostgreSQL. Copyright (C) 2001-2002 Daniel Veillard. All Rights Reserved. Licensed under the MIT licence: https://gitlab.gnome.org/GNOME/libxslt/-/blob/master/Copyright",
  },
  {
    name: "OSSP uuid",
    version: "1.6",
    licence: "OSSP (MIT style)",
    text: "Part of the bundled PostgreSQL. Copyright (c) 2004-2008 Ralf S. Engelschall, The OSSP Project. Permission to use, copy, modify, and distribute this software for any purpose with or without fee is granted, provided that this notice appears in all copies. Provided as is, without warranty.",
  },
  {
    name: "zlib",
    version: "1",
    licence: "Zlib",
    text: "Part of the bundled PostgreSQL. Copyright (C) 1995-2026 Jean-loup Gailly and Mark Adler. Provided 'as-is', without any express or implied warranty: https://zlib.net/zlib_license.html",
  },
  {
    name: "XZ Utils (liblzma)",
    version: "5",
    licence: "public domain",
    text: "Part of the bundled PostgreSQL. liblzma is in the public domain.",
  },
  {
    name: "Bun",
    version: "1.4.5",
    licence: "MIT, with parts under LGPL-2.1 and others",
    text: "The runtime. Copyright (c) Oven. It links JavaScriptCore (LGPL-2.1) and other libraries; their list and licences: https://bun.sh/docs/project/licensing",
  },
];
