/**
 * One page per run: `COUNTER_PAGE=kiosk vite build`. `build_web.py` runs it three times
 * and says where to.
 *
 * Nothing is inlined: the pages are served with `script-src 'self'; style-src 'self'`, so every asset is a file.
 */
import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const pages = {
  kiosk: { root: "kiosk/web", base: "/" },
  phone: { root: "counter_server/web/phone", base: "/phone/" },
  clerk: { root: "counter_server/web/clerk", base: "/console/" },
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
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
});
