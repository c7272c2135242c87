package dev.holdfast.gateway;

import io.netty.util.NetUtil;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads NetFlow v9 (RFC 3954) and IPFIX (RFC 7011) messages: templates and data, fixed-length fields, of one
/// exporter. Bounded: at most so many templates and fields.
final class NetflowDecoder {
    private static final int MOST_TEMPLATES = 256;
    private static final int MOST_FIELDS = 128;

    // Information elements (IANA ipfix registry; the same numbers in NetFlow v9).
    private static final int OCTETS = 1;
    private static final int PACKETS = 2;
    private static final int PROTOCOL = 4;
    private static final int SOURCE_V4 = 8;
    private static final int DESTINATION_PORT = 11;
    private static final int DESTINATION_V4 = 12;
    private static final int LAST_UPTIME = 21;
    private static final int FIRST_UPTIME = 22;
    private static final int SOURCE_V6 = 27;
    private static final int DESTINATION_V6 = 28;
    private static final int START_SECONDS = 150;
    private static final int END_SECONDS = 151;
    private static final int START_MILLIS = 152;
    private static final int END_MILLIS = 153;

    private final Map<Long, List<Field>> templates = new HashMap<>();

    private record Field(int element, int length) {}

    /// Bytes that are no flow export.
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }
    }

    /// 1. The header says which of the two it is. 2. Sets follow: templates are learnt, data is read by them; data
    /// whose template has not come yet is left out, as both RFCs say.
    List<Flow> decode(byte[] message) throws MalformedException {
        try {
            ByteBuffer in = ByteBuffer.wrap(message);
            int version = in.getShort() & 0xffff;
            return switch (version) {
                case 9 -> {
                    in.getShort();
                    long upMillis = in.getInt() & 0xffffffffL;
                    long seconds = in.getInt() & 0xffffffffL;
                    in.getInt();
                    long domain = in.getInt() & 0xffffffffL;
                    yield sets(in, domain, 0, Instant.ofEpochSecond(seconds), upMillis);
                }
                case 10 -> {
                    int length = in.getShort() & 0xffff;
                    if (length > message.length || length < 16) {
                        throw new MalformedException("the length of the message is wrong");
                    }
                    in.limit(length);
                    long seconds = in.getInt() & 0xffffffffL;
                    in.getInt();
                    long domain = in.getInt() & 0xffffffffL;
                    yield sets(in, domain, 2, Instant.ofEpochSecond(seconds), 0);
                }
                default -> throw new MalformedException("version " + version);
            };
        } catch (BufferUnderflowException e) {
            throw new MalformedException("cut short");
        }
    }

    private List<Flow> sets(ByteBuffer in, long domain, int templateSet, Instant exported, long upMillis)
            throws MalformedException {
        List<Flow> flows = new ArrayList<>();
        while (in.remaining() >= 4) {
            int id = in.getShort() & 0xffff;
            int length = in.getShort() & 0xffff;
            if (length < 4 || length - 4 > in.remaining()) {
                throw new MalformedException("the length of a set is wrong");
            }
            ByteBuffer set = in.slice(in.position(), length - 4);
            in.position(in.position() + length - 4);
            if (id == templateSet) {
                learn(set, domain);
            } else if (id >= 256) {
                List<Field> template = templates.get(domain << 16 | id);
                if (template != null) {
                    data(set, template, exported, upMillis, flows);
                }
            }
        }
        return flows;
    }

    private void learn(ByteBuffer set, long domain) throws MalformedException {
        while (set.remaining() >= 4) {
            int id = set.getShort() & 0xffff;
            int count = set.getShort() & 0xffff;
            if (id < 256 || count > MOST_FIELDS) {
                throw new MalformedException("a template with id " + id + " and " + count + " fields");
            }
            List<Field> fields = new ArrayList<>(count);
            int size = 0;
            for (int i = 0; i < count; i++) {
                int element = set.getShort() & 0xffff;
                int length = set.getShort() & 0xffff;
                if ((element & 0x8000) != 0) {
                    set.getInt();
                }
                if (length == 0xffff) {
                    throw new MalformedException("fields of variable length are not read here");
                }
                fields.add(new Field(element, length));
                size += length;
            }
            if (size == 0 || templates.size() >= MOST_TEMPLATES) {
                throw new MalformedException("a template too much, or an empty one");
            }
            templates.put(domain << 16 | id, List.copyOf(fields));
        }
    }

    private static void data(ByteBuffer set, List<Field> template, Instant exported, long upMillis, List<Flow> flows) {
        int size = template.stream().mapToInt(Field::length).sum();
        while (set.remaining() >= size) {
            Map<Integer, byte[]> values = new HashMap<>();
            for (Field field : template) {
                byte[] value = new byte[field.length()];
                set.get(value);
                values.putIfAbsent(field.element(), value);
            }
            String source = address(values, SOURCE_V4, SOURCE_V6);
            String destination = address(values, DESTINATION_V4, DESTINATION_V6);
            long protocol = number(values, PROTOCOL, 0);
            if (!source.isEmpty() && !destination.isEmpty() && (protocol == 6 || protocol == 17)) {
                flows.add(new Flow(
                        source,
                        time(values, START_MILLIS, START_SECONDS, FIRST_UPTIME, exported, upMillis),
                        time(values, END_MILLIS, END_SECONDS, LAST_UPTIME, exported, upMillis),
                        destination,
                        (int) number(values, DESTINATION_PORT, 0),
                        protocol == 6 ? "tcp" : "udp",
                        number(values, OCTETS, 0),
                        number(values, PACKETS, 0)));
            }
        }
    }

    private static String address(Map<Integer, byte[]> values, int v4, int v6) {
        byte[] address = values.getOrDefault(v4, values.getOrDefault(v6, new byte[0]));
        return address.length == 4 || address.length == 16 ? Duty.canonical(NetUtil.bytesToIpAddress(address)) : "";
    }

    private static Instant time(
            Map<Integer, byte[]> values, int millis, int seconds, int uptime, Instant exported, long upMillis) {
        if (values.containsKey(millis)) {
            return Instant.ofEpochMilli(Math.min(number(values, millis, 0), Long.MAX_VALUE / 2));
        }
        if (values.containsKey(seconds)) {
            return Instant.ofEpochSecond(number(values, seconds, 0) & 0xffffffffL);
        }
        if (values.containsKey(uptime) && upMillis > 0) {
            return exported.minusMillis(Math.max(0, upMillis - number(values, uptime, upMillis)));
        }
        return exported;
    }

    private static long number(Map<Integer, byte[]> values, int element, long otherwise) {
        byte[] bytes = values.get(element);
        if (bytes == null || bytes.length > 8) {
            return otherwise;
        }
        long value = 0;
        for (byte each : bytes) {
            value = value << 8 | (each & 0xff);
        }
        return Math.max(0, value);
    }
}
