const stroke = { fill: "none", stroke: "currentColor", strokeWidth: 1.6, strokeLinecap: "round", strokeLinejoin: "round" } as const;

function Icon({ children, size = 20 }: { children: React.ReactNode; size?: number }) {
  return (
    <svg viewBox="0 0 20 20" width={size} height={size} aria-hidden {...stroke}>
      {children}
    </svg>
  );
}

export const Holdfast = () => (
  <svg viewBox="0 0 32 32" aria-hidden fill="none" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round">
    <path d="M16 3v14M16 11c0 9-9 6-10 18M16 11c0 9 9 6 10 18M16 16c0 6.500-3.600 7-4 13M16 16c0 6.500 3.600 7 4 13" />
  </svg>
);
export const CityIcon = () => <Icon><path d="M7 2.500l3.500 2v4L7 10.500l-3.500-2v-4zM14 8.500l3.500 2v4l-3.500 2-3.500-2v-4zM3.500 12.500 7 14.500v3" /></Icon>;
export const DevicesIcon = () => <Icon><rect x="3.500" y="2.500" width="13" height="15" rx="1.500" /><path d="M6.500 6h7M6.500 9h4" /><circle cx="12.500" cy="13" r="1.500" /></Icon>;
export const RolloutsIcon = () => <Icon><path d="M3 5h5M3 10h9M3 15h13M13 3l3 2-3 2M14.500 8.500 17 10l-2.500 1.500" /></Icon>;
export const IncidentsIcon = () => <Icon><path d="M10 2.500 18 16.500H2zM10 8v4M10 14.300v.100" /></Icon>;
export const MoreIcon = () => <Icon><path d="M4 6h12M4 10h12M4 14h12" /></Icon>;
export const StopIcon = () => <Icon size={16}><path d="M6.700 2.500h6.600l4.200 4.200v6.600l-4.200 4.200H6.700l-4.200-4.200V6.700z" /><path d="M7 10h6" /></Icon>;
export const SunIcon = () => <Icon size={16}><circle cx="10" cy="10" r="3.500" /><path d="M10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600 16 16M16 4l-1.400 1.400M5.400 14.600 4 16" /></Icon>;
export const MoonIcon = () => <Icon size={16}><path d="M16.500 12.500A7 7 0 0 1 7.500 3.500a7 7 0 1 0 9 9z" /></Icon>;
export const AutoIcon = () => <Icon size={16}><circle cx="10" cy="10" r="7" /><path d="M10 3v14a7 7 0 0 0 0-14z" fill="currentColor" /></Icon>;
export const SearchIcon = () => <Icon size={16}><circle cx="9" cy="9" r="5.500" /><path d="M13.200 13.200 17.500 17.500" /></Icon>;
