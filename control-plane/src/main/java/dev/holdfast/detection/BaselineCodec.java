package dev.holdfast.detection;

import dev.holdfast.detection.Baseline.Draft;
import dev.holdfast.detection.Baseline.Ongoing;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/// A baseline as octets, for its checkpoint. The first octet is the version; one of an unknown version is not
/// read, and the device is learnt anew.
///
/// Written is version 3: numbers take as many octets as they need (seven bits each, zigzag), and of a metric's
/// history only the hours and blocks that hold something. Versions 1 and 2 had every number and every hour in
/// full.
final class BaselineCodec {
    private static final int VERSION = 3;
    private static final int COMPACT_SINCE = 3;
    private static final int SIDESTEPS_SINCE = 2;

    private BaselineCodec() {}

    static byte[] encode(Baseline b) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream(512);
        try (DataOutputStream out = new DataOutputStream(octets)) {
            out.writeByte(VERSION);
            write(out, b.heardAt);
            write(out, b.healthyAt);
            write(out, b.unhealthyAt);
            out.writeByte(b.metrics.length);
            for (int i = 0; i < b.metrics.length; i++) {
                out.writeUTF(b.metrics[i]);
                write(out, b.history[i]);
            }
            write(out, b.parties);
            write(out, b.reach);
            for (Tally tally :
                    new Tally[] {b.messages, b.forbidden, b.foreign, b.malformed, b.limited, b.failures, b.impossible
                    }) {
                write(out, tally.since());
                write(out, tally.count());
            }
            out.writeByte(b.ongoing.size());
            for (Ongoing o : b.ongoing) {
                out.writeUTF(o.cause().name());
                out.writeUTF(o.severity().name());
                write(out, o.since());
                write(out, o.seenAt());
                write(out, o.toldAt());
                write(out, o.told());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return octets.toByteArray();
    }

    /// @return the baseline, or a new one when the octets are of another version or damaged
    static Baseline decode(byte[] octets) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(octets))) {
            int version = in.readByte();
            return version < 1 || version > VERSION ? Baseline.NEW : new Reader(in, version).baseline();
        } catch (IOException | IllegalArgumentException e) {
            return Baseline.NEW;
        }
    }

    /// Seven bits an octet, least first, the sign in the lowest bit.
    private static void write(DataOutputStream out, long number) throws IOException {
        long rest = (number << 1) ^ (number >> 63);
        while ((rest & ~0x7fL) != 0) {
            out.writeByte((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.writeByte((int) rest);
    }

    private static void write(DataOutputStream out, Seasonal s) throws IOException {
        int present = 0;
        for (int i = 0; i < s.level.length; i++) {
            if (s.level[i] != 0 || (i < Seasonal.HOURS && s.weight[i] != 0)) {
                present |= 1 << i;
            }
        }
        out.writeInt(present);
        for (int i = 0; i < s.level.length; i++) {
            if ((present & (1 << i)) != 0) {
                out.writeFloat(s.level[i]);
                if (i < Seasonal.HOURS) {
                    out.writeChar(s.weight[i]);
                }
            }
        }
        write(out, s.lastAt);
        write(out, s.lastImportedAt);
        out.writeFloat(s.anchor);
        out.writeFloat(s.anchorSpread);
        out.writeFloat(s.suspicion);
    }

    /// No session outlives a restart, so only the hosts are kept.
    private static void write(DataOutputStream out, Parties p) throws IOException {
        for (Parties.Track track : new Parties.Track[] {p.mqtt(), p.https()}) {
            out.writeInt(track.host());
            out.writeInt(track.otherHost());
        }
        write(out, p.score());
        write(out, p.scoreSince());
        write(out, p.sidesteps());
        write(out, p.sidestepsSince());
        out.writeBoolean(p.usedSinceSuperseded());
        write(out, p.supersededTurns());
        write(out, p.supersededSince());
    }

    private static void write(DataOutputStream out, Reach r) throws IOException {
        write(out, r.since());
        writeHashes(out, r.hosts());
        writeHashes(out, r.ports());
        write(out, r.refused());
        write(out, r.refusedSince());
    }

    private static void writeHashes(DataOutputStream out, int[] hashes) throws IOException {
        out.writeByte(hashes.length);
        for (int hash : hashes) {
            out.writeInt(hash);
        }
    }

    private record Reader(DataInputStream in, int version) {
        Baseline baseline() throws IOException {
            Draft draft = new Draft();
            draft.heardAt = time();
            draft.healthyAt = time();
            draft.unhealthyAt = time();
            int metrics = in.readUnsignedByte();
            for (int i = 0; i < metrics; i++) {
                int place = draft.place(in.readUTF().intern());
                Seasonal seasonal = seasonal();
                if (place >= 0) {
                    draft.setHistory(place, seasonal);
                }
            }
            draft.parties = parties();
            draft.reach = new Reach(time(), hashes(), hashes(), count(), time());
            draft.messages = tally();
            draft.forbidden = tally();
            draft.foreign = tally();
            draft.malformed = tally();
            draft.limited = tally();
            draft.failures = tally();
            draft.impossible = tally();
            int ongoing = in.readUnsignedByte();
            List<Ongoing> all = new ArrayList<>(ongoing);
            for (int i = 0; i < ongoing; i++) {
                all.add(new Ongoing(
                        Finding.Cause.valueOf(in.readUTF()),
                        Finding.Severity.valueOf(in.readUTF()),
                        time(),
                        time(),
                        time(),
                        count()));
            }
            draft.ongoing = List.copyOf(all);
            return draft.freeze();
        }

        private long time() throws IOException {
            return version < COMPACT_SINCE ? in.readLong() : number();
        }

        private int count() throws IOException {
            if (version < COMPACT_SINCE) {
                return in.readInt();
            }
            long number = number();
            if (number != (int) number) {
                throw new IOException("a count of " + number);
            }
            return (int) number;
        }

        private long number() throws IOException {
            long number = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                int octet = in.readUnsignedByte();
                number |= (octet & 0x7fL) << shift;
                if ((octet & 0x80) == 0) {
                    return (number >>> 1) ^ -(number & 1);
                }
            }
            throw new IOException("a number that does not end");
        }

        private Seasonal seasonal() throws IOException {
            float[] level = new float[Seasonal.HOURS + Seasonal.BLOCKS];
            char[] weight = new char[Seasonal.HOURS];
            if (version < COMPACT_SINCE) {
                for (int i = 0; i < level.length; i++) {
                    level[i] = in.readFloat();
                }
                for (int i = 0; i < weight.length; i++) {
                    weight[i] = in.readChar();
                }
            } else {
                int present = in.readInt();
                for (int i = 0; i < level.length; i++) {
                    if ((present & (1 << i)) != 0) {
                        level[i] = in.readFloat();
                        if (i < Seasonal.HOURS) {
                            weight[i] = in.readChar();
                        }
                    }
                }
            }
            return new Seasonal(level, weight, time(), time(), in.readFloat(), in.readFloat(), in.readFloat());
        }

        private Parties parties() throws IOException {
            return new Parties(
                    new Parties.Track(0, 0, in.readInt(), in.readInt()),
                    new Parties.Track(0, 0, in.readInt(), in.readInt()),
                    count(),
                    time(),
                    version < SIDESTEPS_SINCE ? 0 : count(),
                    version < SIDESTEPS_SINCE ? 0 : time(),
                    in.readBoolean(),
                    count(),
                    time());
        }

        private int[] hashes() throws IOException {
            int[] hashes = new int[in.readUnsignedByte()];
            for (int i = 0; i < hashes.length; i++) {
                hashes[i] = in.readInt();
            }
            return hashes;
        }

        private Tally tally() throws IOException {
            return new Tally(time(), count());
        }
    }
}
