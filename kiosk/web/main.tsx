import { createRoot } from "react-dom/client";
import "../../counter_server/web/kit/look.css";
import "./kiosk.css";
import { Kiosk } from "./Kiosk";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no #root");
}
createRoot(root).render(<Kiosk />);
