import { open } from "pagevec";
import { report } from "./check.js";

onmessage = ({ data }) => report(open, data);
