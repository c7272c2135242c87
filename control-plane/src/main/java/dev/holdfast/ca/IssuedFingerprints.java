package dev.holdfast.ca;

import dev.holdfast.journal.Recorded;
import dev.holdfast.protocol.x509.Certificates;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.concurrent.locks.StampedLock;

/// Which very certificates were issued, in memory on every node: 8 octets for each, in tables of primitives.
///
/// A serial number alone does not say that: whoever has an issuing key can sign another certificate under a
/// serial that we know. What is kept is a hash of the certificate's SHA-256 under a secret of this process, so
/// that nobody can make one that fits; by chance one does with 2^-44 where a million are known.
final class IssuedFingerprints {
    private static final int SHARES = 16;
    private static final int FIRST = 64;

    private final byte[] secret = new byte[32];
    private final Share[] shares = new Share[SHARES];

    IssuedFingerprints(SecureRandom random) {
        random.nextBytes(secret);
        for (int i = 0; i < SHARES; i++) {
            shares[i] = new Share();
        }
    }

    /// Open addressing; zero is a free slot, nothing is ever removed.
    private static final class Share {
        private final StampedLock lock = new StampedLock();
        private volatile long[] slots = new long[FIRST];
        private int used;

        boolean contains(long value) {
            long stamp = lock.tryOptimisticRead();
            boolean found = stamp != 0 && at(slots, value) >= 0;
            if (stamp != 0 && lock.validate(stamp)) {
                return found;
            }
            stamp = lock.readLock();
            try {
                return at(slots, value) >= 0;
            } finally {
                lock.unlockRead(stamp);
            }
        }

        void add(long value) {
            long stamp = lock.writeLock();
            try {
                int at = at(slots, value);
                if (at >= 0) {
                    return;
                }
                if ((used + 1) * 4L > slots.length * 3L) {
                    grow();
                    at = at(slots, value);
                }
                slots[~at] = value;
                used++;
            } finally {
                lock.unlockWrite(stamp);
            }
        }

        /// @return where it is, or where it would be put, as the complement
        private static int at(long[] slots, long value) {
            int at = (int) Math.unsignedMultiplyHigh(value * 0x9E3779B97F4A7C15L, slots.length);
            for (int tried = 0; tried < slots.length; tried++) {
                if (slots[at] == value) {
                    return at;
                }
                if (slots[at] == 0) {
                    return ~at;
                }
                at = at + 1 == slots.length ? 0 : at + 1;
            }
            return ~0; // only while a change is under way: looked up again under the lock
        }

        private void grow() {
            long[] larger = new long[slots.length * 3 / 2];
            for (long value : slots) {
                if (value != 0) {
                    larger[~at(larger, value)] = value;
                }
            }
            slots = larger;
        }
    }

    /// Whether this very certificate was issued here and has not ended long ago.
    public boolean contains(X509Certificate certificate) {
        long value = value(sha256(Certificates.der(certificate)));
        return share(value).contains(value);
    }

    void add(byte[] sha256) {
        long value = value(sha256);
        share(value).add(value);
    }

    /// Follows the journal; entries may come again.
    void follow(Recorded entry) {
        if (entry.content().contains("\"kind\":\"certificate.issued\"")) {
            String fingerprint = entry.json().at("/body/fingerprint").asText();
            if (fingerprint.length() == 64) {
                add(HexFormat.of().parseHex(fingerprint));
            }
        }
    }

    private Share share(long value) {
        return shares[(int) (value & SHARES - 1)];
    }

    private long value(byte[] sha256) {
        MessageDigest digest = digest();
        digest.update(secret);
        long value = ByteBuffer.wrap(digest.digest(sha256)).getLong();
        return value == 0 ? 1 : value;
    }

    private static byte[] sha256(byte[] octets) {
        return digest().digest(octets);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }
}
