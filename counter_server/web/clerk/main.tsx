import { createRoot } from "react-dom/client";
import "../kit/look.css";
import "./clerk.css";
import { Console } from "./Console";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no #root");
}
createRoot(root).render(<Console />);
