package dev.holdfast.protocol.tpm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What was measured into the PCRs before the operating system took over, as the firmware wrote it down (TCG
/// PC Client Platform Firmware Profile, section 10, the crypto-agile format). The log is only a claim until
/// its replay gives the PCRs that a quote has.
public record EventLog(List<Event> events, Map<Integer, Integer> startValues) {
    /// Of a log that is read.
    public static final int MOST_OCTETS = 512 * 1024;
    private static final int MOST_EVENTS = 4_096;
    private static final int MOST_REGISTER = 23;
    private static final long NO_ACTION = 3;
    private static final byte[] SIGNATURE = "Spec ID Event03\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LOCALITY = "StartupLocality\0".getBytes(StandardCharsets.US_ASCII);

    public EventLog {
        events = List.copyOf(events);
        startValues = Map.copyOf(startValues);
    }

    /// @param digests by hash, hexadecimal
    /// @param data what was measured, or what describes it; as the firmware says it
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Event(int register, long type, Map<TpmHash, String> digests, byte[] data) {
        public Event {
            digests = Map.copyOf(digests);
        }

        /// Its type and what its data says, short and safe to show: `EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot`.
        /// What is not what was measured stands in quotation marks.
        public String words(TpmHash bank) {
            return EventWords.of(this, bank);
        }

        /// Whether it extended its register.
        public boolean isMeasured() {
            return type != NO_ACTION;
        }
    }

    /// Reads a whole log, as Linux shows it in `binary_bios_measurements`.
    public static EventLog parse(byte[] log) throws TpmFormatException {
        if (log.length > MOST_OCTETS) {
            throw TpmFormatException.malformed("an event log of more than " + MOST_OCTETS + " octets");
        }
        Cursor in = new Cursor(ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN));
        Map<Integer, Integer> sizes = header(in);
        List<Event> events = new ArrayList<>();
        Map<Integer, Integer> start = new HashMap<>();
        while (in.remaining() > 0) {
            if (events.size() == MOST_EVENTS) {
                throw TpmFormatException.malformed("an event log of more than " + MOST_EVENTS + " events");
            }
            Event event = event(in, sizes);
            if (event.type() == NO_ACTION && startsWith(event.data(), LOCALITY) && event.data().length == 17) {
                boolean late = events.stream().anyMatch(e -> e.isMeasured() && e.register() == 0);
                if (late || start.put(0, event.data()[16] & 0xff) != null) {
                    throw TpmFormatException.malformed("a second start, or one after PCR 0 was extended");
                }
            }
            events.add(event);
        }
        return new EventLog(events, start);
    }

    /// TCG_PCR_EVENT with TCG_EfiSpecIdEvent (section 10.4.5.1): which digests each event has, and how long
    /// they are.
    private static Map<Integer, Integer> header(Cursor in) throws TpmFormatException {
        long register = in.u32();
        long type = in.u32();
        byte[] digest = in.octets(20);
        byte[] data = in.octets(in.size(4_096));
        if (register != 0
                || type != NO_ACTION
                || !java.util.Arrays.equals(digest, new byte[20])
                || !startsWith(data, SIGNATURE)) {
            throw TpmFormatException.unsupported("not an event log of the crypto-agile format");
        }
        Cursor spec = new Cursor(ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
        spec.octets(16 + 4 + 4);
        long count = spec.u32();
        if (count == 0 || count > 8) {
            throw TpmFormatException.malformed("an event log of " + count + " hash algorithms");
        }
        Map<Integer, Integer> sizes = new HashMap<>();
        for (int i = 0; i < count; i++) {
            int id = spec.u16();
            int size = spec.u16();
            if (size == 0
                    || size > 64
                    || TpmHash.find(id).filter(h -> h.octets() != size).isPresent()) {
                throw TpmFormatException.malformed("a hash algorithm of a wrong size");
            }
            if (sizes.put(id, size) != null) {
                throw TpmFormatException.malformed("a hash algorithm announced twice");
            }
        }
        spec.octets(spec.octets(1)[0] & 0xff); // what the vendor adds
        if (spec.remaining() > 0) {
            throw TpmFormatException.malformed("octets after the announcement of algorithms");
        }
        return sizes;
    }

    /// TCG_PCR_EVENT2 (section 10.2.2).
    private static Event event(Cursor in, Map<Integer, Integer> sizes) throws TpmFormatException {
        long register = in.u32();
        long type = in.u32();
        long count = in.u32();
        if (count > sizes.size() || (register > MOST_REGISTER && type != NO_ACTION)) {
            throw TpmFormatException.malformed("an event with too many digests, or of a PCR above 23");
        }
        Map<TpmHash, String> digests = new HashMap<>();
        for (int i = 0; i < count; i++) {
            int id = in.u16();
            Integer size = sizes.get(id);
            if (size == null) {
                throw TpmFormatException.malformed("a digest of an algorithm that the log does not announce");
            }
            String digest = HexFormat.of().formatHex(in.octets(size));
            Optional<TpmHash> hash = TpmHash.find(id);
            if (hash.isPresent() && digests.put(hash.get(), digest) != null) {
                throw TpmFormatException.malformed("an event with two digests of one algorithm");
            }
        }
        return new Event((int) Math.min(register, MOST_REGISTER + 1), type, digests, in.octets(in.size(65_536)));
    }

    private static boolean startsWith(byte[] data, byte[] start) {
        return data.length >= start.length && java.util.Arrays.equals(data, 0, start.length, start, 0, start.length);
    }

    /// The PCRs of a bank after all this: each event extends its own (section 3.3.4 of the profile; part 1
    /// section 17.2). Registers that no event names are left out.
    ///
    /// @return register to digest, hexadecimal
    /// @throws TpmFormatException when an event has no digest of this bank
    public Map<Integer, String> replay(TpmHash bank) throws TpmFormatException {
        Map<Integer, byte[]> registers = new HashMap<>();
        startValues.forEach((register, value) -> {
            byte[] first = new byte[bank.octets()];
            first[first.length - 1] = value.byteValue();
            registers.put(register, first);
        });
        for (Event event : events) {
            if (event.type() == NO_ACTION) {
                continue;
            }
            String digest = event.digests().get(bank);
            if (digest == null) {
                throw TpmFormatException.unsupported("the log has no digests of bank " + bank.text());
            }
            byte[] before = registers.getOrDefault(event.register(), new byte[bank.octets()]);
            registers.put(event.register(), bank.digest(before, HexFormat.of().parseHex(digest)));
        }
        Map<Integer, String> result = new HashMap<>();
        registers.forEach(
                (register, value) -> result.put(register, HexFormat.of().formatHex(value)));
        return result;
    }

    /// Little-endian, as firmware writes.
    private record Cursor(ByteBuffer in) {
        private void need(int octets) throws TpmFormatException {
            if (octets < 0 || in.remaining() < octets) {
                throw TpmFormatException.malformed("the event log ends in the middle");
            }
        }

        int remaining() {
            return in.remaining();
        }

        int u16() throws TpmFormatException {
            need(2);
            return in.getShort() & 0xffff;
        }

        long u32() throws TpmFormatException {
            need(4);
            return in.getInt() & 0xffff_ffffL;
        }

        int size(int most) throws TpmFormatException {
            long size = u32();
            if (size > most) {
                throw TpmFormatException.malformed("an event of " + size + " octets");
            }
            return (int) size;
        }

        byte[] octets(int count) throws TpmFormatException {
            need(count);
            byte[] read = new byte[count];
            in.get(read);
            return read;
        }
    }
}
