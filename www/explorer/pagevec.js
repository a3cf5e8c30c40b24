// The page imports the package from here only: this folder lies in the package, beside dist/. An import map that names
// "pagevec" would have to be written inline, which the page's Content-Security-Policy refuses.
export { open, PagevecError } from "../dist/browser.js";
