// The page imports the package from here only. An import map that names "pagevec" would have to be
// written inline, which this page's Content-Security-Policy refuses.
export { open, PagevecError } from "./pkg/dist/browser.js";
