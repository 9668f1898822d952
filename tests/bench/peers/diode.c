/*
 * The shipped diodes as a person would write them in C for XDP: the same link rules with constants
 * in the code, the same counter, the predicate as a loop. Compiled by the bench, once for each
 * predicate: clang -O2 -target bpf -DPREDICATE_name.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct xdp_md {
  u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

#define DROP 1
#define PASS 2
#define INLINE static __attribute__((always_inline)) inline
#define MOST_PAYLOAD 1460

#define PRINTABLE(c) ((c) >= 0x20 && (c) <= 0x7e)

/* Each predicate: 1 to pass. i runs over the payload's bytes, as far as `bytes`. */
#define EACH_BYTE(bytes) for (u32 i = 0; i < (bytes) && p + i + 1 <= end; i++)

INLINE int accepts(const u8 *p, const u8 *end) {
#if defined(PREDICATE_text)
  EACH_BYTE(MOST_PAYLOAD) {
    u8 c = p[i];
    if ((c < 0x20 && c != 9 && c != 10 && c != 13) || c == 0x7f) return 0;
  }
  return 1;
#elif defined(PREDICATE_hateless)
  for (u32 i = 0; i < 509 && p + i + 4 <= end; i++)
    if (p[i] == 'h' && p[i + 1] == 'a' && p[i + 2] == 't' && p[i + 3] == 'e') return 0;
  return 1;
#elif defined(PREDICATE_minimal) || defined(PREDICATE_printable16)
  EACH_BYTE(16) if (!PRINTABLE(p[i])) return 0;
  return 1;
#elif defined(PREDICATE_printable64)
  EACH_BYTE(64) if (!PRINTABLE(p[i])) return 0;
  return 1;
#elif defined(PREDICATE_json)
  u32 depth = 0, string = 0, escaped = 0;
  EACH_BYTE(MOST_PAYLOAD) {
    u8 c = p[i];
    if (string) {
      if (escaped) escaped = 0;
      else if (c == '\\') escaped = 1;
      else if (c == '"') string = 0;
    } else if (c == '"') string = 1;
    else if (c == '{' || c == '[') {
      if (++depth > 2) return 0;
    } else if (c == '}' || c == ']') {
      if (depth > 0) depth--;
    }
  }
  return 1;
#elif defined(PREDICATE_json_start)
  return end - p < 1400 && p + 1 <= end && p[0] == '{';
#elif defined(PREDICATE_json_prefix)
  return p + 1 <= end && (p[0] == '{' || p[0] == '[');
#elif defined(PREDICATE_utf8)
  u32 need = 3, least = 0x80, most = 0xbf; /* a payload may begin in the middle of a character */
  u32 begin = 1;
  EACH_BYTE(MOST_PAYLOAD) {
    u8 c = p[i];
    if (begin && c >= 0x80 && c <= 0xbf && need > 0) {
      need--;
      continue;
    }
    if (begin) begin = 0, need = 0;
    if (need > 0) {
      if (c < least || c > most) return 0;
      need--, least = 0x80, most = 0xbf;
    } else if (c >= 0x80) {
      if (c < 0xc2 || c > 0xf4) return 0;
      need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
      least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
      most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    }
  }
  return 1;
#elif defined(PREDICATE_closed)
  return 0;
#endif
}

/* The bench puts the counter map's address and the ring buffer where these numbers stand. */
INLINE void count(u32 slot) {
  u64 *counters;
  asm volatile("%0 = 0x1122334455667788 ll" : "=r"(counters));
  __sync_fetch_and_add(counters + slot, 1);
}

static u64 (*const ktime_get_ns)(void) = (void *)5;
static long (*const ringbuf_output)(void *map, void *data, u64 size, u64 flags) = (void *)130;

/* Every drop is reported, with the time, the flow and where the packet was in its stream. */
INLINE void report(const u8 *d, const u8 *end) {
  u64 event[5] = {0};
  void *ring;
  event[0] = ktime_get_ns();
  if (d + 54 <= end) {
    event[1] = *(u32 *)(d + 26) | (u64) * (u32 *)(d + 30) << 32;
    event[2] = *(u32 *)(d + 34) | (u64) * (u32 *)(d + 38) << 32;
  }
  event[3] = end - d;
  asm volatile("%0 = 0x1122334455667799 ll" : "=r"(ring));
  ringbuf_output(ring, event, sizeof(event), 0);
}

INLINE int verdict(const u8 *d, const u8 *end) {
  if (end - d > 1514 || d + 54 > end) return DROP;
  if (14 + (u16)(d[16] << 8 | d[17]) != end - d) return DROP;
  if (*(u32 *)d != 0x00000002 || *(u16 *)(d + 4) != 0x0100) return DROP;
  if (*(u16 *)(d + 6) != 0x5452 || *(u32 *)(d + 8) != 0x56341200) return DROP;
  if (*(u16 *)(d + 12) != 0x0008 || d[14] != 0x45) return DROP;
  if ((*(u16 *)(d + 20) & 0xffbf) != 0 || d[23] != 6) return DROP;
  if (*(u32 *)(d + 26) != 0x0b001eac || *(u32 *)(d + 30) != 0x01001eac) return DROP;
  if (*(u16 *)(d + 34) != 0x901f || (u16)(d[36] << 8 | d[37]) < 1024) return DROP;
  u8 flags = d[47];
  if (flags != 16 && flags != 24 && flags != 17 && flags != 25 && flags != 18 && flags != 4 &&
      flags != 20)
    return DROP;
  if (d[46] != 0x50) return DROP; /* without the SYN+ACK's options: the bench sends none */
  if (d + 54 == end) return PASS;
  return accepts(d + 54, end) ? PASS : DROP;
}

__attribute__((section("xdp"), used)) int diode(struct xdp_md *ctx) {
  const u8 *d = (const u8 *)(long)ctx->data, *end = (const u8 *)(long)ctx->data_end;
  int v = verdict(d, end);
  count(v);
  if (v == DROP) report(d, end);
  return v;
}
