const { open } = require("pagevec");

import("./check.js").then(({ report }) => report(open, process.argv[2]));
