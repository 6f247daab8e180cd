/** Line drawings, 24 x 24, drawn with the text's colour. They never carry meaning alone: words stand beside them. */
const drawings = {
  card: "M3 6.5h18v11H3zM6 10h4v4H6zM13 10.5h5M13 13.5h3",
  face: "M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16M9 10v.5M15 10v.5M9 14.5c1.6 1.7 4.4 1.7 6 0",
  finger: "M8 20v-8a4 4 0 0 1 8 0v8M5 20v-8a7 7 0 0 1 14 0v8M11 20v-8a1 1 0 0 1 2 0v8",
  clerk: "M12 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM5 20c.6-3.7 3.4-5.5 7-5.5s6.4 1.8 7 5.5",
  sign: "M4 19.5h16M6 15.5l1-3.8L15.6 3l3 3L9.9 14.6z",
  paper: "M6.5 3.5h8l4 4v13h-12zM14.5 3.5v4h4M9.5 12h6M9.5 15.5h6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  dash: "M6 12h12",
  warning: "M12 4.5l8.5 15h-17zM12 10v4.5M12 17v.2",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5.5M12 7.6v.2",
  phone: "M7.5 3h9v18h-9zM11 18h2",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2",
  person: "M9 9.2a3 3 0 1 1 4.3 2.7c-.9.5-1.3 1-1.3 2.1M12 17v.2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  letters: "M3 18l5-12 5 12M4.7 14h6.6M14.5 18l3.2-8 3.3 8M15.6 15.3h4.3",
  contrast: "M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17",
  reach: "M12 4v12M7 11.5l5 5 5-5M5 20h14",
  keyboard: "M3 7h18v10.5H3zM6.5 10.2h.1M9.5 10.2h.1M12.5 10.2h.1M15.5 10.2h.1M18 10.2h.1M8 14.2h8",
  back: "M14.5 5.5L8 12l6.5 6.5",
  next: "M9.5 5.5L16 12l-6.5 6.5",
  home: "M4 11.5l8-7 8 7M6.5 10v9.5h11V10",
  money: "M3 7h18v10H3zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM6 10v.1M18 14v.1",
  seal: "M12 3.2l2.2 1.7 2.8-.2.8 2.7 2.3 1.5-1 2.6 1 2.6-2.3 1.5-.8 2.7-2.8-.2L12 19.8l-2.2-1.7-2.8.2-.8-2.7-2.3-1.5 1-2.6-1-2.6 2.3-1.5.8-2.7 2.8.2zM8.8 11.8l2.3 2.3 4.2-4.4",
  camera: "M3.5 7.5h11v9h-11zM14.5 11l6-3v8l-6-3",
  shield: "M12 3.5l7 2.5v5.5c0 4.2-2.8 7.4-7 9-4.2-1.6-7-4.8-7-9V6z",
} as const;

export type IconName = keyof typeof drawings;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  );
}

/** The house's mark: someone behind a counter's window. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M8.5 23.5V14a7.5 7.5 0 0 1 15 0v9.5M5.5 23.5h21" />
      <circle cx="16" cy="13.5" r="2.3" />
      <path d="M12 20c.5-2.2 2-3.2 4-3.2s3.5 1 4 3.2" />
    </svg>
  );
}
