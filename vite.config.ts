/**
 * One page per run: `COUNTER_PAGE=kiosk vite build`. `build_web.py` runs it three times.
 *
 * Nothing is inlined: the pages are served with `script-src 'self'; style-src 'self'`, so every asset is a file.
 */
import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const pages = {
  kiosk: { root: "kiosk/web", base: "/", outDir: "kiosk/web/dist" },
  phone: { root: "counter_server/web/phone", base: "/phone/", outDir: "counter_server/web/dist/phone" },
  clerk: { root: "counter_server/web/clerk", base: "/console/", outDir: "counter_server/web/dist/clerk" },
} as const;

const name = process.env["COUNTER_PAGE"];
if (name !== "kiosk" && name !== "phone" && name !== "clerk") {
  throw new Error("set COUNTER_PAGE to kiosk, phone or clerk");
}
const page = pages[name];

export default defineConfig({
  root: resolve(page.root),
  base: page.base,
  cacheDir: resolve(".cache/vite"),
  plugins: [react()],
  build: {
    outDir: resolve(page.outDir),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
});
