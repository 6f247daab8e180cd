import { createRoot } from "react-dom/client";
import "../kit/look.css";
import "./phone.css";
import { Phone } from "./Phone";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no #root");
}
createRoot(root).render(<Phone />);
