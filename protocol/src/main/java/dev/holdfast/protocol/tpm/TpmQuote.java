package dev.holdfast.protocol.tpm;

import java.util.List;

/// A quote (TPMS_QUOTE_INFO, part 2 section 10.12.4): the digest of chosen PCRs.
///
/// @param pcrDigest hexadecimal
public record TpmQuote(TpmStatement statement, List<PcrSelection> selections, String pcrDigest) {
    public TpmQuote {
        selections = List.copyOf(selections);
    }

    /// Reads TPMS_ATTEST, as `tpm2_quote -m` writes it.
    public static TpmQuote parse(byte[] attest) throws TpmFormatException {
        TpmReader in = new TpmReader("TPMS_ATTEST", attest, TpmStatement.MOST_OCTETS);
        TpmStatement statement = TpmStatement.read(in, TpmStatement.QUOTE);
        List<PcrSelection> selections = PcrSelection.readList(in);
        String digest = in.sizedHex(64);
        in.end();
        return new TpmQuote(statement, selections, digest);
    }
}
