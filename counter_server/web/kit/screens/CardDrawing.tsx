/** Where the three things stand on an ICAO card: front with the dates, back with the machine-readable lines. */
export function CardDrawing({ label }: { readonly label: string }) {
  return (
    <svg className="card-drawing" viewBox="0 0 340 214" role="img" aria-label={label}>
      <rect className="plate" x="2" y="2" width="336" height="210" rx="16" />
      <rect className="photo" x="22" y="46" width="92" height="118" rx="6" />
      <circle className="photo-line" cx="68" cy="92" r="20" />
      <path className="photo-line" d="M36 160c3-26 16-38 32-38s29 12 32 38" />
      <path className="chip" d="M278 24h38v28h-38zM290 24v28M304 24v28M278 38h38" />
      <path className="faint" d="M22 26h110M134 62h96M134 78h60" />
      <g className="spot">
        <rect x="128" y="94" width="118" height="24" rx="6" />
        <text x="137" y="111">
          27 03 1985
        </text>
        <circle cx="258" cy="106" r="11" />
        <text className="number" x="258" y="111">
          2
        </text>
      </g>
      <g className="spot">
        <rect x="128" y="130" width="118" height="24" rx="6" />
        <text x="137" y="147">
          14 09 2031
        </text>
        <circle cx="258" cy="142" r="11" />
        <text className="number" x="258" y="147">
          3
        </text>
      </g>
      <g className="spot">
        <rect x="128" y="172" width="168" height="26" rx="6" />
        <text x="137" y="190">
          D23145890
        </text>
        <circle cx="308" cy="185" r="11" />
        <text className="number" x="308" y="190">
          1
        </text>
      </g>
    </svg>
  );
}
