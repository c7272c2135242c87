package dev.holdfast.protocol.tpm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// PCRs of one bank (TPMS_PCR_SELECTION, part 2 section 10.6.2), in ascending order.
public record PcrSelection(TpmHash bank, SortedSet<Integer> registers) {
    private static final int MOST_REGISTERS = 24;
    private static final int MOST_BANKS = 4;

    public PcrSelection {
        if (registers.isEmpty() || registers.first() < 0 || registers.last() >= MOST_REGISTERS) {
            throw new IllegalArgumentException("PCRs are 0 to " + (MOST_REGISTERS - 1) + ", at least one");
        }
        registers = Collections.unmodifiableSortedSet(new TreeSet<>(registers));
    }

    /// As tpm2-tools write it: `sha256:0,1,7`.
    ///
    /// @throws IllegalArgumentException when it is not of that form
    public static PcrSelection parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0 || text.length() > 100) {
            throw new IllegalArgumentException("PCRs are written as sha256:0,1,7");
        }
        TpmHash bank = java.util.Arrays.stream(TpmHash.values())
                .filter(h -> h.text().equals(text.substring(0, colon)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such PCR bank: " + text.substring(0, colon)));
        SortedSet<Integer> registers = new TreeSet<>();
        for (String number : text.substring(colon + 1).split(",", -1)) {
            registers.add(Integer.valueOf(number.strip()));
        }
        return new PcrSelection(bank, registers);
    }

    /// `sha256:0,1,7`
    public String text() {
        return bank.text() + ":" + registers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /// TPML_PCR_SELECTION. Banks without a register are left out, as TPMs list all their banks.
    static List<PcrSelection> readList(TpmReader in) throws TpmFormatException {
        long count = in.u32();
        if (count > MOST_BANKS * 4L) {
            throw TpmFormatException.malformed("too many PCR banks");
        }
        List<PcrSelection> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int id = in.u16();
            byte[] bits = in.octets(Math.min(in.u8(), 255));
            if (bits.length > 4) {
                throw TpmFormatException.malformed("more than 32 PCRs in a bank");
            }
            SortedSet<Integer> registers = new TreeSet<>();
            for (int bit = 0; bit < bits.length * 8; bit++) {
                if (((bits[bit / 8] >> (bit % 8)) & 1) != 0) {
                    registers.add(bit);
                }
            }
            if (registers.isEmpty()) {
                continue;
            }
            if (registers.last() >= MOST_REGISTERS) {
                throw TpmFormatException.malformed("a PCR above 23");
            }
            TpmHash bank = TpmHash.find(id)
                    .orElseThrow(() -> TpmFormatException.unsupported("PCR bank 0x" + Integer.toHexString(id)));
            all.add(new PcrSelection(bank, registers));
        }
        if (all.size() > MOST_BANKS) {
            throw TpmFormatException.malformed("too many PCR banks");
        }
        return all;
    }
}
