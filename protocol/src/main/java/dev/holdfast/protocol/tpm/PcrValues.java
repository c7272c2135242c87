package dev.holdfast.protocol.tpm;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// What chosen PCRs hold, in the order in which a quote digests them.
///
/// @param values in order; each selected register once
public record PcrValues(List<Value> values) {
    /// @param digest hexadecimal, lower case
    public record Value(TpmHash bank, int register, String digest) {
        public Value {
            if (digest.length() != bank.octets() * 2 || !digest.equals(digest.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException("not a digest of bank " + bank.text());
            }
        }
    }

    public PcrValues {
        values = List.copyOf(values);
    }

    /// Reads values written one after another, as `tpm2_quote -o FILE -F values` writes them.
    ///
    /// @param selections as the quote says
    public static PcrValues parse(List<PcrSelection> selections, byte[] octets) throws TpmFormatException {
        TpmReader in = new TpmReader("PCR values", octets, 4 * 24 * 64);
        List<Value> values = new ArrayList<>();
        for (PcrSelection selection : selections) {
            for (int register : selection.registers()) {
                values.add(new Value(
                        selection.bank(),
                        register,
                        HexFormat.of().formatHex(in.octets(selection.bank().octets()))));
            }
        }
        in.end();
        return new PcrValues(values);
    }

    /// The digest over all of them, as a quote has it.
    ///
    /// @param hash of the quote's signature
    public String digest(TpmHash hash) {
        TpmWriter all = new TpmWriter();
        values.forEach(v -> all.octets(HexFormat.of().parseHex(v.digest())));
        return HexFormat.of().formatHex(hash.digest(all.bytes()));
    }

    /// `sha256:7` to its digest.
    public Map<String, String> byName() {
        Map<String, String> named = new TreeMap<>();
        values.forEach(v -> named.put(v.bank().text() + ":" + v.register(), v.digest()));
        return named;
    }
}
