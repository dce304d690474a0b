// The page of the instrument alone.

import { data } from "rnnlab/data.js";
import { addInstrument } from "rnnlab/explore.js";

addInstrument(document.getElementById("explore"), data.explore);
