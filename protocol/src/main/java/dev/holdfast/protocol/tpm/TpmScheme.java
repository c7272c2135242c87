package dev.holdfast.protocol.tpm;

/// How a key signs.
public record TpmScheme(Kind kind, TpmHash hash) {
    public enum Kind {
        RSASSA(0x0014),
        RSAPSS(0x0016),
        ECDSA(0x0018);

        private final int id;

        Kind(int id) {
            this.id = id;
        }

        int id() {
            return id;
        }

        static Kind of(int id) throws TpmFormatException {
            for (Kind kind : values()) {
                if (kind.id == id) {
                    return kind;
                }
            }
            throw TpmFormatException.unsupported(
                    "signature scheme 0x" + Integer.toHexString(id) + " is not accepted: RSASSA, RSAPSS or ECDSA");
        }

        boolean isRsa() {
            return this != ECDSA;
        }
    }
}
