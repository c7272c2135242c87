/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page is served under a content security policy without any 'unsafe-' word and without data: sources,
// so nothing may be inlined: no data: fonts or images, no module preload polyfill.
export default defineConfig({
  plugins: [react()],
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { proxy: { "/api": process.env.HOLDFAST_API ?? "http://localhost:8090" } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
