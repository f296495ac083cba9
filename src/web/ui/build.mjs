// Bundles the dashboard and writes it as one C++ file: `node build.mjs OUT.cpp`.
// The same sources give the same bytes: no times, no absolute paths.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? "assets.cpp");
const digestOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

async function bundle(entry) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const script = await bundle("src/main.ts");
const style = await bundle("src/styles/main.css");
const icon = readFileSync(join(here, "icon.svg"));
const names = {
  script: `/assets/app-${digestOf(script).slice(0, 8)}.js`,
  style: `/assets/app-${digestOf(style).slice(0, 8)}.css`,
  icon: `/assets/icon-${digestOf(icon).slice(0, 8)}.svg`,
};
const page = Buffer.from(
  readFileSync(join(here, "index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name) => names[name]),
);
// What the bundle contains of others, with their licences: shown by the About page.
const notices = Buffer.from(
  ["lightweight-charts", "fancy-canvas"]
    .map((name) => {
      const about = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
      const file = join(here, "node_modules", name, "LICENSE");
      // A package without the file names its licence and where its source is.
      const licence = existsSync(file) ? readFileSync(file, "utf8") : `Source: ${about.repository?.url ?? about.homepage}`;
      return `${about.name} ${about.version} (${about.license})\n\n${licence.trim()}\n`;
    })
    .join(`\n${"-".repeat(72)}\n\n`),
);

const assets = [
  ["/index.html", "text/html; charset=utf-8", page, false],
  [names.script, "text/javascript; charset=utf-8", script, true],
  [names.style, "text/css; charset=utf-8", style, true],
  [names.icon, "image/svg+xml", icon, true],
  ["/favicon.ico", "image/svg+xml", icon, false],
  ["/licences.txt", "text/plain; charset=utf-8", notices, false],
];

// Octal escapes of fixed length: a digit that follows can't be mistaken for a part of one.
const literal = (bytes) => {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 64) {
    let line = "";
    for (const byte of bytes.subarray(i, i + 64)) line += `\\${byte.toString(8).padStart(3, "0")}`;
    lines.push(`    "${line}"`);
  }
  return lines.join("\n");
};

let out = '// Written by ui/build.mjs.\n#include "web/assets.hpp"\n\nnamespace chandler::web {\n\n';
out += "const EmbeddedAsset kEmbeddedAssets[] = {\n";
for (const [path, type, bytes, hashed] of assets) {
  const packed = gzipSync(bytes, { level: 9 });
  packed[9] = 255; // the operating system it was packed on: unknown
  out += `  {"${path}", "${type}", "${digestOf(bytes)}", ${hashed},\n${literal(packed)},\n   ${packed.length}},\n`;
}
out += `};\nconst std::size_t kEmbeddedAssetCount = ${assets.length};\n\n}  // namespace chandler::web\n`;
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, out);
