package dev.holdfast.testkit.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Changes of good messages that reach deeper than noise: octets, lengths, pieces, and for what is DER its
/// elements, with the lengths around them mended.
public final class Mutation {
    private static final int MOST_OCTETS = 1 << 16;
    private static final byte[][] TELLING = {
        {0},
        {(byte) 0xff},
        {0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff},
        {(byte) 0x80, 0, 0, 0},
        {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff},
        {(byte) 0xff, (byte) 0xff},
        {0x30, (byte) 0x80},
        {0x30, (byte) 0x84, 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff},
        {(byte) 0x9b, 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff},
        {'-', '1'},
        {'9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9', '9'},
        {'1', 'e', '9', '9', '9', '9', '9', '9'},
        {'n', 'u', 'l', 'l'},
        {'[', '[', '[', '[', '[', '[', '[', '['},
        {'"'},
        {'{', '}'}
    };

    private final Random random;
    private final List<byte[]> seeds;

    public Mutation(Random random, List<byte[]> seeds) {
        this.random = random;
        this.seeds = seeds;
    }

    /// The next input.
    public byte[] next() {
        byte[] bytes = seeds.get(random.nextInt(seeds.size()));
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            bytes = changed(bytes);
        }
        return bytes.length > MOST_OCTETS ? Arrays.copyOf(bytes, MOST_OCTETS) : bytes;
    }

    private byte[] changed(byte[] bytes) {
        return switch (random.nextInt(9)) {
            case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1 -> spliced(bytes, bytes.length, bytes.length, noise(1 + random.nextInt(20)));
            case 2, 3 -> flipped(bytes);
            case 4 -> overwritten(bytes);
            case 5 -> repeated(bytes);
            case 6 -> {
                byte[] other = seeds.get(random.nextInt(seeds.size()));
                int from = random.nextInt(other.length + 1);
                int at = random.nextInt(bytes.length + 1);
                yield spliced(bytes, at, bytes.length, Arrays.copyOfRange(other, from, other.length));
            }
            default -> elements(bytes, 0);
        };
    }

    private byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] flipped(byte[] bytes) {
        byte[] copy = bytes.clone();
        for (int i = 1 + random.nextInt(3); i > 0 && copy.length > 0; i--) {
            int at = random.nextInt(copy.length);
            copy[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (copy[at] ^ (1 << random.nextInt(8)));
        }
        return copy;
    }

    private byte[] overwritten(byte[] bytes) {
        byte[] telling = TELLING[random.nextInt(TELLING.length)];
        int at = random.nextInt(bytes.length + 1);
        return spliced(bytes, at, Math.min(bytes.length, at + random.nextInt(telling.length + 1)), telling);
    }

    private byte[] repeated(byte[] bytes) {
        int from = random.nextInt(bytes.length + 1);
        int to = from + random.nextInt(Math.min(64, bytes.length - from) + 1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int times = 1 << random.nextInt(10); times > 0; times--) {
            out.write(bytes, from, to - from);
        }
        return spliced(bytes, from, to, out.toByteArray());
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] middle) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, from);
        out.writeBytes(middle);
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }

    /// One element of DER goes, comes twice, changes places or changes within; noise where it is no DER.
    private byte[] elements(byte[] der, int depth) {
        List<byte[]> all = split(der);
        if (all.isEmpty() || depth > 20) {
            return flipped(der);
        }
        int at = random.nextInt(all.size());
        byte[] one = all.get(at);
        switch (random.nextInt(depth == 0 ? 12 : 8)) {
            case 0 -> all.remove(at);
            case 1 -> all.add(at, one);
            case 2 -> all.add(all.remove(random.nextInt(all.size())));
            case 3 -> {
                byte[] other = one.clone();
                other[0] = (byte) random.nextInt();
                all.set(at, other);
            }
            case 4 -> all.set(at, element(one[0], noise(random.nextInt(40))));
            default -> all.set(at, element(one[0], elements(content(one), depth + 1)));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        all.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private static int headerOctets(byte[] bytes, int at) {
        int first = bytes[at + 1] & 0xff;
        return first < 0x80 ? 2 : 2 + (first & 0x7f);
    }

    /// The elements one after another; none when it is not a row of definite lengths.
    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> all = new ArrayList<>();
        int at = 0;
        while (at < bytes.length) {
            if (at + 2 > bytes.length || at + headerOctets(bytes, at) > bytes.length || headerOctets(bytes, at) > 5) {
                return new ArrayList<>();
            }
            int header = headerOctets(bytes, at);
            long length = header == 2 ? bytes[at + 1] & 0xff : 0;
            for (int i = 2; i < header; i++) {
                length = (length << 8) | (bytes[at + i] & 0xff);
            }
            if (length > bytes.length - at - header) {
                return new ArrayList<>();
            }
            int end = at + header + (int) length;
            all.add(Arrays.copyOfRange(bytes, at, end));
            at = end;
        }
        return all;
    }

    private static byte[] content(byte[] element) {
        return Arrays.copyOfRange(element, headerOctets(element, 0), element.length);
    }

    private static byte[] element(byte tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 0x80) {
            out.write(content.length);
        } else if (content.length < 0x100) {
            out.write(0x81);
            out.write(content.length);
        } else {
            out.write(0x82);
            out.write(content.length >> 8);
            out.write(content.length);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }
}
