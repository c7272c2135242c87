package dev.holdfast.protocol.ipfix;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads the messages of one exporter (RFC 7011). It remembers the exporter's templates, as many as the bounds
/// allow,
/// so one decoder belongs to one transport session; it is not for several threads at once.
///
/// Data whose template is not known (yet) is skipped and counted: over UDP templates come again (section 8.4).
public final class IpfixDecoder {
    private static final int VERSION = 10;
    private static final int HEADER = 16;
    private static final int TEMPLATE_SET = 2;
    private static final int OPTIONS_TEMPLATE_SET = 3;
    private static final int FIRST_DATA_SET = 256;
    private static final int MOST_TEMPLATES = 64;
    private static final int MOST_FIELDS = 128;
    private static final long NTP_EPOCH = -2_208_988_800L;
    private static final long REVERSE = 29_305; // RFC 5103 section 6.1

    private final Map<Long, Template> templates = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Template> eldest) {
            return size() > MOST_TEMPLATES;
        }
    };
    private final Map<Long, Long> started = new LinkedHashMap<>(4, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
            return size() > MOST_TEMPLATES;
        }
    };
    private long skipped;

    /// Sets of data that could not be read because their template is not known.
    public long skipped() {
        return skipped;
    }

    /// Reads one message; what of it is no flow of IP addresses is left out.
    ///
    /// @throws MalformedIpfixException when it is not IPFIX; templates that came before the fault stay
    public List<FlowRecord> decode(byte[] message) throws MalformedIpfixException {
        ByteBuffer in = ByteBuffer.wrap(message);

        // 1. The message header (section 3.1).
        if (message.length < HEADER || in.getShort() != VERSION) {
            throw new MalformedIpfixException("not version 10");
        }
        int length = in.getShort() & 0xffff;
        if (length < HEADER || length > message.length) {
            throw new MalformedIpfixException("a length other than the message's");
        }
        in.limit(length);
        Instant exported = Instant.ofEpochSecond(in.getInt() & 0xffffffffL);
        in.getInt(); // the sequence number
        long domain = in.getInt() & 0xffffffffL;

        // 2. Its sets (section 3.3), until less than a set header is left (padding).
        List<FlowRecord> flows = new ArrayList<>();
        try {
            while (in.remaining() >= 4) {
                int id = in.getShort() & 0xffff;
                int setLength = in.getShort() & 0xffff;
                if (setLength < 4 || setLength - 4 > in.remaining()) {
                    throw new MalformedIpfixException("a set longer than its message");
                }
                ByteBuffer set = in.slice(in.position(), setLength - 4);
                in.position(in.position() + setLength - 4);
                set(id, set, domain, exported, flows);
            }
        } catch (BufferUnderflowException e) {
            throw new MalformedIpfixException("a set that ends in the middle of a record");
        }
        return flows;
    }

    private void set(int id, ByteBuffer set, long domain, Instant exported, List<FlowRecord> flows)
            throws MalformedIpfixException {
        if (id == TEMPLATE_SET || id == OPTIONS_TEMPLATE_SET) {
            while (set.remaining() >= 4) {
                template(set, domain, id == OPTIONS_TEMPLATE_SET);
            }
        } else if (id >= FIRST_DATA_SET) {
            Template template = templates.get(key(domain, id));
            if (template == null) {
                skipped++;
                return;
            }
            while (set.remaining() >= template.shortest()) {
                record(set, template, domain, exported, flows);
            }
        }
        // Other ids are not in use (section 3.3.2): a collector ignores them.
    }

    /// Sections 3.4.1 and 3.4.2.
    private void template(ByteBuffer set, long domain, boolean options) throws MalformedIpfixException {
        int id = set.getShort() & 0xffff;
        int count = set.getShort() & 0xffff;
        if (id < FIRST_DATA_SET) {
            throw new MalformedIpfixException("a template id below 256");
        }
        if (count == 0) {
            templates.remove(key(domain, id)); // a withdrawal, section 8.1
            return;
        }
        if (count > MOST_FIELDS) {
            throw new MalformedIpfixException("a template of more than " + MOST_FIELDS + " fields");
        }
        if (options) {
            int scopes = set.getShort() & 0xffff;
            if (scopes == 0 || scopes > count) {
                throw new MalformedIpfixException("an options template without scope"); // section 3.4.2.2
            }
        }
        List<Template.Field> fields = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int element = set.getShort() & 0xffff;
            int length = set.getShort() & 0xffff;
            long enterprise = 0;
            if ((element & 0x8000) != 0) {
                element &= 0x7fff;
                enterprise = set.getInt() & 0xffffffffL;
            }
            fields.add(new Template.Field(element, enterprise, length));
        }
        Template template = Template.of(fields, options);
        if (template.shortest() == 0) {
            throw new MalformedIpfixException("a template of no length");
        }
        templates.put(key(domain, id), template);
    }

    private static long key(long domain, int id) {
        return domain << 16 | id;
    }

    /// What of a record we look at.
    private static final class Values {
        @Nullable
        InetAddress source;

        @Nullable
        InetAddress destination;

        int sourcePort;
        int destinationPort;
        int protocol;
        long octets;
        long packets;
        long reverseOctets;
        long reversePackets;

        @Nullable
        Instant start;

        @Nullable
        Instant end;

        long startUptime = -1;
        long endUptime = -1;
    }

    private void record(ByteBuffer set, Template template, long domain, Instant exported, List<FlowRecord> flows)
            throws MalformedIpfixException {
        Values values = new Values();
        for (Template.Field field : template.fields()) {
            int length = field.length();
            if (length == Template.VARIABLE) { // section 7
                length = set.get() & 0xff;
                if (length == 255) {
                    length = set.getShort() & 0xffff;
                }
            }
            if (length > set.remaining()) {
                throw new MalformedIpfixException("a field longer than its set");
            }
            ByteBuffer value = set.slice(set.position(), length);
            set.position(set.position() + length);
            if (template.options()) {
                if (field.enterprise() == 0 && field.element() == 160 && length == 8) { // systemInitTimeMilliseconds
                    started.put(domain, value.getLong());
                }
            } else if (field.enterprise() == 0) {
                take(field.element(), value, values);
            } else if (field.enterprise() == REVERSE) {
                switch (field.element()) {
                    case 1 -> values.reverseOctets = number(value);
                    case 2 -> values.reversePackets = number(value);
                    default -> {}
                }
            }
        }
        if (!template.options() && values.source != null && values.destination != null) {
            flows.add(flow(values, values.source, values.destination, domain, exported));
        }
    }

    private FlowRecord flow(Values values, InetAddress source, InetAddress destination, long domain, Instant exported) {
        Instant start = values.start == null ? uptime(values.startUptime, domain, exported) : values.start;
        Instant end = values.end == null ? uptime(values.endUptime, domain, exported) : values.end;
        return new FlowRecord(
                source,
                values.sourcePort,
                destination,
                values.destinationPort,
                values.protocol,
                start,
                end.isBefore(start) ? start : end,
                sum(values.octets, values.reverseOctets),
                sum(values.packets, values.reversePackets));
    }

    private Instant uptime(long millis, long domain, Instant exported) {
        Long init = started.get(domain);
        return millis < 0 || init == null ? exported : milli(sum(init, millis));
    }

    /// The elements of IANA's registry that a flow is made of.
    private static void take(int element, ByteBuffer value, Values values) throws MalformedIpfixException {
        switch (element) {
            case 1, 85 -> values.octets = number(value);
            case 2, 86 -> values.packets = number(value);
            case 4 -> values.protocol = (int) number(value) & 0xff;
            case 7 -> values.sourcePort = (int) number(value) & 0xffff;
            case 11 -> values.destinationPort = (int) number(value) & 0xffff;
            case 8 -> values.source = address(value, 4);
            case 12 -> values.destination = address(value, 4);
            case 27 -> values.source = address(value, 16);
            case 28 -> values.destination = address(value, 16);
            case 22 -> values.startUptime = number(value);
            case 21 -> values.endUptime = number(value);
            case 150 -> values.start = Instant.ofEpochSecond(number(value) & 0xffffffffL);
            case 151 -> values.end = Instant.ofEpochSecond(number(value) & 0xffffffffL);
            case 152 -> values.start = milli(number(value));
            case 153 -> values.end = milli(number(value));
            case 154, 156 -> values.start = ntp(value);
            case 155, 157 -> values.end = ntp(value);
            default -> {}
        }
    }

    private static Instant milli(long millis) {
        return Instant.ofEpochMilli(Math.clamp(millis, 0, 253_402_300_799_000L));
    }

    /// RFC 7011 section 6.1.9: seconds since 1900 and a fraction.
    private static Instant ntp(ByteBuffer value) throws MalformedIpfixException {
        if (value.remaining() != 8) {
            throw new MalformedIpfixException("a time of a wrong length");
        }
        long seconds = value.getInt() & 0xffffffffL;
        long fraction = value.getInt() & 0xffffffffL;
        return Instant.ofEpochSecond(NTP_EPOCH + seconds, (fraction * 1_000_000_000L) >>> 32);
    }

    /// An unsigned number in as few octets as the exporter chose (section 6.2); what is too large becomes the
    /// largest.
    private static long number(ByteBuffer value) throws MalformedIpfixException {
        int length = value.remaining();
        if (length == 0 || length > 8) {
            throw new MalformedIpfixException("a number of " + length + " octets");
        }
        long number = 0;
        for (int i = 0; i < length; i++) {
            number = number << 8 | (value.get() & 0xff);
        }
        return number < 0 ? Long.MAX_VALUE : number;
    }

    private static long sum(long a, long b) {
        long sum = a + b;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    private static InetAddress address(ByteBuffer value, int length) throws MalformedIpfixException {
        if (value.remaining() != length) {
            throw new MalformedIpfixException("an address of a wrong length");
        }
        byte[] octets = new byte[length];
        value.get(octets);
        try {
            return InetAddress.getByAddress(octets);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
