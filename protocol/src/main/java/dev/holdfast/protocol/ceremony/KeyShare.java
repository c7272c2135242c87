package dev.holdfast.protocol.ceremony;

import dev.holdfast.protocol.x509.KeyKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.threshold.ShamirSecretSplitter;
import org.bouncycastle.crypto.threshold.ShamirSplitSecret;
import org.bouncycastle.crypto.threshold.ShamirSplitSecretShare;

/// One of n shares of a private key, of which any m give it back and m-1 say nothing about it (Shamir's scheme,
/// octet by
/// octet over GF(2^8) with the polynomial of AES).
///
/// On paper: lines that begin `HF1.1`, `HF1.2`, each with 20 characters of base 32 in fives (0-9 and letters
/// without I, L, O, U, in either case) and two check characters, so that a mistyped line is named; the whole
/// has a checksum too.
public final class KeyShare {
    private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final Pattern LINE =
            Pattern.compile("(?mi)^\\s*HF1\\.(\\d)((?:[ \\t]+[0-9A-Za-z]{1,5}){2,5})[ \\t]*$");
    private static final int VERSION = 1;
    private static final int IN_A_LINE = 20;
    private static final int SUM = 4;
    private static final int HEADER = 9;
    private static final int MOST_TEXT = 100_000;
    private static final ShamirSecretSplitter.Algorithm FIELD = ShamirSecretSplitter.Algorithm.AES;
    private static final ShamirSecretSplitter.Mode MODE = ShamirSecretSplitter.Mode.Native;

    private final String root;
    private final KeyKind kind;
    private final boolean rehearsal;
    private final int threshold;
    private final int count;
    private final int index;
    private final byte[] part;

    private KeyShare(String root, KeyKind kind, boolean rehearsal, int threshold, int count, int index, byte[] part) {
        this.root = root;
        this.kind = kind;
        this.rehearsal = rehearsal;
        this.threshold = threshold;
        this.count = count;
        this.index = index;
        this.part = part;
    }

    /// @param root the first 8 digits of the SHA-256 of the root's public key: which root it is a share of
    /// @param kind P-256 or P-384
    /// @param threshold how many shares give the key back, at least 2
    /// @param secret the private number, 32 or 48 octets
    public static List<KeyShare> split(
            String root,
            KeyKind kind,
            boolean rehearsal,
            int threshold,
            int count,
            byte[] secret,
            SecureRandom random) {
        if (threshold < 2
                || count < threshold
                || count > 16
                || !root.matches("[0-9a-f]{8}")
                || secret.length != length(kind)) {
            throw new IllegalArgumentException("shares: 2 to n give the key back, and n is 16 at most");
        }
        try {
            ShamirSplitSecretShare[] parts = new ShamirSecretSplitter(FIELD, MODE, secret.length, random)
                    .resplit(secret, threshold, count)
                    .getSecretShares();
            List<KeyShare> shares = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                shares.add(new KeyShare(root, kind, rehearsal, threshold, count, i + 1, parts[i].getEncoded()));
            }
            return shares;
        } catch (IOException e) {
            throw new IllegalStateException("a secret that can't be split", e);
        }
    }

    /// The private number. Too few, or shares of different ceremonies, are refused; that it is the right number
    /// only
    /// its
    /// public key can tell.
    public static byte[] combine(List<KeyShare> shares) throws ShareFormatException {
        if (shares.isEmpty()) {
            throw new ShareFormatException("no shares");
        }
        KeyShare first = shares.getFirst();
        Set<Integer> indices = new HashSet<>();
        for (KeyShare share : shares) {
            if (!share.root.equals(first.root)
                    || share.kind != first.kind
                    || share.rehearsal != first.rehearsal
                    || share.threshold != first.threshold
                    || share.count != first.count) {
                throw new ShareFormatException("these are shares of different ceremonies: root " + first.root + " and "
                        + share.root + (share.rehearsal || first.rehearsal ? ", REHEARSAL among them" : ""));
            }
            if (!indices.add(share.index)) {
                throw new ShareFormatException("share " + share.index + " was given twice");
            }
        }
        if (shares.size() < first.threshold) {
            throw new ShareFormatException(shares.size() + " shares were given and " + first.threshold + " are needed");
        }
        try {
            return new ShamirSplitSecret(
                            FIELD,
                            MODE,
                            shares.subList(0, first.threshold).stream()
                                    .map(s -> new ShamirSplitSecretShare(s.part, s.index))
                                    .toArray(ShamirSplitSecretShare[]::new))
                    .getSecret();
        } catch (IOException e) {
            throw new IllegalStateException("shares that can't be put together", e);
        }
    }

    private static int length(KeyKind kind) {
        return switch (kind) {
            case EC_P256 -> 32;
            case EC_P384 -> 48;
            case ED25519, RSA, ML_DSA_65, RSA_WEAK, OTHER ->
                throw new IllegalArgumentException("no shares are made of keys of the kind " + kind);
        };
    }

    public String root() {
        return root;
    }

    public KeyKind kind() {
        return kind;
    }

    /// Whether it was made for practice and guards nothing.
    public boolean rehearsal() {
        return rehearsal;
    }

    public int threshold() {
        return threshold;
    }

    public int count() {
        return count;
    }

    public int index() {
        return index;
    }

    /// Without the part.
    @Override
    public String toString() {
        return "share " + index + " of " + count + ", any " + threshold + " of which restore the key of root " + root
                + (rehearsal ? ", REHEARSAL" : "");
    }

    /// The lines for paper.
    public String text() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(VERSION);
        all.write((kind == KeyKind.EC_P384 ? 2 : 0) | (rehearsal ? 1 : 0));
        all.writeBytes(HexFormat.of().parseHex(root));
        all.write(threshold);
        all.write(count);
        all.write(index);
        all.writeBytes(part);
        all.writeBytes(Arrays.copyOf(sha256(all.toByteArray()), SUM));
        String digits = base32(all.toByteArray());
        StringBuilder lines = new StringBuilder();
        for (int line = 1, at = 0; at < digits.length(); line++, at += IN_A_LINE) {
            String some = digits.substring(at, Math.min(at + IN_A_LINE, digits.length()));
            lines.append("HF1.").append(line);
            for (int i = 0; i < some.length(); i += 5) {
                lines.append(' ').append(some, i, Math.min(i + 5, some.length()));
            }
            lines.append(' ').append(check(line, some)).append('\n');
        }
        return lines.toString();
    }

    /// Finds the share's lines in any text around them.
    public static KeyShare parse(String text) throws ShareFormatException {
        if (text.length() > MOST_TEXT) {
            throw new ShareFormatException("too long for a share");
        }
        TreeMap<Integer, String> lines = new TreeMap<>();
        Matcher matcher = LINE.matcher(text);
        while (matcher.find()) {
            int number = Integer.parseInt(matcher.group(1));
            String[] groups = matcher.group(2).strip().split("\\s+");
            StringBuilder digits = new StringBuilder();
            for (String group : Arrays.copyOf(groups, groups.length - 1)) {
                digits.append(normal(group));
            }
            if (digits.length() > IN_A_LINE
                    || !check(number, digits.toString()).equals(normal(groups[groups.length - 1]))) {
                throw new ShareFormatException("line HF1." + number + " is not as it was printed");
            }
            if (lines.put(number, digits.toString()) != null) {
                throw new ShareFormatException("line HF1." + number + " is there twice: one share at a time");
            }
        }
        if (lines.isEmpty() || lines.firstKey() != 1 || lines.lastKey() != lines.size()) {
            throw new ShareFormatException("a line of the share is missing (they begin HF1.1, HF1.2, ...)");
        }
        return decode(unbase32(String.join("", lines.values())));
    }

    private static KeyShare decode(byte[] all) throws ShareFormatException {
        int end = all.length - SUM;
        if (end < HEADER
                || !MessageDigest.isEqual(
                        Arrays.copyOfRange(all, end, all.length),
                        Arrays.copyOf(sha256(Arrays.copyOf(all, end)), SUM))) {
            throw new ShareFormatException("the share is not whole: its checksum is wrong");
        }
        int flags = all[1];
        KeyKind kind = (flags & 2) == 0 ? KeyKind.EC_P256 : KeyKind.EC_P384;
        int threshold = all[6];
        int count = all[7];
        int index = all[8];
        if (all[0] != VERSION
                || flags < 0
                || flags > 3
                || end - HEADER != length(kind)
                || threshold < 2
                || count < threshold
                || count > 16
                || index < 1
                || index > count) {
            throw new ShareFormatException("a share of another version of Holdfast");
        }
        return new KeyShare(
                HexFormat.of().formatHex(all, 2, 6),
                kind,
                (flags & 1) == 1,
                threshold,
                count,
                index,
                Arrays.copyOfRange(all, HEADER, end));
    }

    private static String check(int line, String digits) {
        byte[] sum = sha256((line + ":" + digits).getBytes(StandardCharsets.US_ASCII));
        return "" + ALPHABET.charAt(sum[0] & 31) + ALPHABET.charAt(sum[1] & 31);
    }

    /// What people misread is read as it was meant.
    private static String normal(String digits) {
        return digits.toUpperCase(Locale.ROOT)
                .replace('O', '0')
                .replace('I', '1')
                .replace('L', '1');
    }

    private static String base32(byte[] octets) {
        StringBuilder digits = new StringBuilder();
        int buffer = 0;
        int bits = 0;
        for (byte octet : octets) {
            buffer = (buffer << 8) | (octet & 0xff);
            bits += 8;
            while (bits >= 5) {
                bits -= 5;
                digits.append(ALPHABET.charAt((buffer >> bits) & 31));
            }
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0) {
            digits.append(ALPHABET.charAt((buffer << (5 - bits)) & 31));
        }
        return digits.toString();
    }

    private static byte[] unbase32(String digits) throws ShareFormatException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        int buffer = 0;
        int bits = 0;
        for (int i = 0; i < digits.length(); i++) {
            int value = ALPHABET.indexOf(digits.charAt(i));
            if (value < 0) {
                throw new ShareFormatException("the letter U is in no share");
            }
            buffer = (buffer << 5) | value;
            bits += 5;
            if (bits >= 8) {
                bits -= 8;
                octets.write(buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }
        if (buffer != 0) {
            throw new ShareFormatException("the share is not whole: its end is wrong");
        }
        return octets.toByteArray();
    }

    private static byte[] sha256(byte[] octets) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(octets);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }
}
