/*
 * Resume x trimming x fencing: the rules of docs/protocol.md that no test can exhaust.
 *
 * One hub log of at most REVS revisions over KEYS keys, trimmed while it is read; ZONES zones that
 * read it by cursor, the first one page by page with disconnects anywhere, the others whole; one
 * restore from a backup, which opens a second era; two instances of the first zone that publish
 * through compare-and-set.
 *
 *   safe      a replica equals the log's content at its cursor after every cut (FLOW-12, FLOW-14)
 *   once      an up cut is committed exactly once and in order (FLOW-18)
 *
 * Each rule can be left out with a define; run.sh shows that the property then breaks:
 *   BROKEN_FLOOR  a cut may end before a trim floor that was seen while it was read
 *   BROKEN_TOMB   the tombstone floor is not looked at again at every read
 *   BROKEN_TRIM   an entry is trimmed when the floor passed it, without a direct successor there
 *   BROKEN_ERA    a cursor is valid when its revision exists, whatever its era
 *   BROKEN_FENCE  an up cut is committed without comparing generation and cursor
 */
#ifndef ZONES
#define ZONES 3
#endif
#define KEYS 4
#ifndef REVS
#define REVS 4
#endif
#define NONE 0
#define GONE 255

/* The log. Index 0 is unused; the ghosts key[] and leave[] keep what trimming removes. */
byte key[REVS + 1];
bit leave[REVS + 1];
bit trimmed[REVS + 1];
byte head;
byte floor;            /* trim floor */
byte tombs;            /* tombstone floor */
byte era;              /* 0, after the restore 1 */
byte era_end = REVS;   /* where era 0 ended */
byte keys_used;        /* symmetry: a new key is always the next one */

/* Zones: durable cursor and replica. */
bit has[ZONES];
byte cursor[ZONES];
byte cursor_era[ZONES];
byte replica[ZONES * KEYS];

/* The scan of the first zone: staged, not yet applied. */
bit scanning;
bit replacing;
byte pos;
byte seen;             /* largest floor seen during the scan */
byte staged[KEYS];

/* Up flow of the first zone: cuts 1..UPS of one outbox, sent by two instances. */
#define UPS 2
byte generation;
byte up_cursor;
byte committed[UPS + 1];
byte mine[2];          /* generation that Welcome gave to the instance; 0 = no session */
byte mine_from[2];     /* cursor that Welcome gave */
bit flying[2];         /* a cut is on its way: mine_from -> mine_from + 1 */

byte i, k, found, low;

inline content(k_, at) { /* found = revision of the live version of k_ at revision `at`, or NONE */
  found = NONE;
  for (i : 1 .. REVS) {
    if
    :: i <= at && key[i] == k_ && leave[i] -> found = NONE
    :: i <= at && key[i] == k_ && !leave[i] -> found = i
    :: else
    fi
  }
}

inline check(z, at) {
  for (k : 0 .. KEYS - 1) {
    content(k, at);
    assert(replica[z * KEYS + k] == found)
  }
}

inline append(k_, leave_) {
  head++;
  key[head] = k_;
  leave[head] = leave_;
  trimmed[head] = 0
}

inline judge(z) { /* found = 1 when the cursor of z is valid */
  found = has[z] && cursor[z] <= head && cursor[z] >= tombs;
#ifndef BROKEN_ERA
  if
  :: cursor_era[z] < era && cursor[z] > era_end -> found = 0
  :: else
  fi
#endif
}

proctype Writer() {
  byte w;
  do
  :: atomic { head < REVS ->
       if
       :: w = 0
       :: keys_used > 0 -> w = 1
       :: keys_used > 1 -> w = 2
       fi;
       if
       :: w == keys_used -> keys_used++
       :: else
       fi;
       content(w, head);
       if
       :: append(w, 0)
       :: found != NONE -> append(w, 1)
       fi;
       found = 0; w = 0 }
  :: atomic { floor < head ->   /* trimming by direct successor */
       floor++;
       for (i : 1 .. REVS) {
         if
         :: i <= floor && !trimmed[i] ->
#ifdef BROKEN_TRIM
            trimmed[i] = !leave[i]
#else
            for (k : i + 1 .. REVS) {
              if
              :: k <= floor && key[k] == key[i] -> trimmed[i] = 1
              :: else
              fi
            }
#endif
         :: else
         fi
       } }
  :: atomic { tombs < floor ->  /* tombstones expire: their time ended */
       tombs++;
       for (i : 1 .. REVS) {
         if
         :: i <= tombs && leave[i] -> trimmed[i] = 1
         :: else
         fi
       } }
  :: atomic { era == 0 && head > 0 ->   /* a backup is restored: the end of the log is lost */
       if
       :: low = head - 1
       :: low = 0
       fi;
       if
       :: low >= floor ->
          era = 1;
          era_end = low;
          head = low;
          keys_used = KEYS - 1;
          for (i : 1 .. REVS) {
            if
            :: i > low -> key[i] = 0; leave[i] = 0; trimmed[i] = 0
            :: else
            fi
          }
          up_cursor = 0;        /* it is in the log, so it is as old as the log */
          for (i : 1 .. REVS) {
            if
            :: i <= low && key[i] == KEYS - 1 -> up_cursor++
            :: else
            fi
          }
          for (i : 1 .. UPS) {
            if
            :: i > up_cursor -> committed[i] = 0
            :: else
            fi
          }
          scanning = 0;         /* connections end with the process */
          mine[0] = 0; mine[1] = 0; flying[0] = 0; flying[1] = 0
       :: else
       fi;
       low = 0 }
  od
}

/* The first zone, page by page. */
proctype Reader() {
  do
  :: atomic { !scanning && (head > 0) ->
       scanning = 1;
       judge(0);
       replacing = !found;
       if
       :: replacing -> pos = 0
       :: else -> pos = cursor[0]
       fi;
       seen = 0;
       for (k : 0 .. KEYS - 1) { staged[k] = NONE }
       found = 0 }
  :: atomic { scanning && pos < head ->
       if
       :: floor > seen -> seen = floor
       :: else
       fi;
#ifndef BROKEN_TOMB
       if
       :: !replacing && cursor[0] < tombs -> scanning = 0       /* leaves it needs may be gone */
       :: replacing && pos > 0 && pos < tombs -> scanning = 0
       :: else
       fi;
#endif
       if
       :: scanning ->
          pos++;
          if
          :: !trimmed[pos] && leave[pos] -> staged[key[pos]] = GONE
          :: !trimmed[pos] && !leave[pos] -> staged[key[pos]] = pos
          :: else
          fi
       :: else
       fi }
#ifdef BROKEN_FLOOR
  :: atomic { scanning && pos > 0 ->
#else
  :: atomic { scanning && pos > 0 && pos >= seen ->
#endif
       for (k : 0 .. KEYS - 1) {
         if
         :: staged[k] == GONE || (replacing && staged[k] == NONE) -> replica[k] = NONE
         :: staged[k] != GONE && staged[k] != NONE -> replica[k] = staged[k]
         :: else
         fi
       }
       has[0] = 1;
       cursor[0] = pos;
       cursor_era[0] = era;
       check(0, pos);
       replacing = 0;                /* tails from here */
       for (k : 0 .. KEYS - 1) { staged[k] = NONE }
       seen = 0; found = 0; i = 0; k = 0 }
  :: atomic { scanning -> scanning = 0; pos = 0; seen = 0 }          /* disconnect anywhere */
  od
}

/* The other zones read to the head in one step. */
proctype Whole(byte z) {
  do
  :: atomic { head > 0 && (!has[z] || cursor[z] < head || cursor_era[z] < era) ->
       judge(z);
       low = (found -> cursor[z] : 0);
       if
       :: !found -> for (k : 0 .. KEYS - 1) { replica[z * KEYS + k] = NONE }
       :: else
       fi;
       for (i : 1 .. REVS) {
         if
         :: i > low && i <= head && !trimmed[i] ->
            replica[z * KEYS + key[i]] = (leave[i] -> NONE : i)
         :: else
         fi
       }
       has[z] = 1;
       cursor[z] = head;
       cursor_era[z] = era;
       check(z, head);
       found = 0; low = 0; i = 0; k = 0 }
  od
}

/* Two agents with the first zone's credential and outbox. */
proctype Instance(byte who) {
  do
  :: atomic { generation < 3 ->         /* connect: Welcome names generation and cursor */
       generation++;
       mine[who] = generation;
       mine_from[who] = up_cursor }
  :: atomic { mine[who] > 0 && !flying[who] && mine_from[who] < UPS -> flying[who] = 1 }
  :: atomic { flying[who] && head < REVS ->   /* the writer takes it from its queue */
       flying[who] = 0;
#ifndef BROKEN_FENCE
       if
       :: mine[who] == generation && mine_from[who] == up_cursor ->
#else
       if
       :: true ->
#endif
          up_cursor = mine_from[who] + 1;
          committed[up_cursor]++;
          assert(committed[up_cursor] == 1 && era + 1 > 0);
          append(KEYS - 1, 0);
          mine_from[who] = up_cursor
#ifndef BROKEN_FENCE
       :: else -> mine[who] = 0         /* 4409 or 4460 */
#endif
       fi }
  od
}

init {
  atomic {
    run Writer();
    run Reader();
#if ZONES > 1
    run Whole(1);
#endif
#if ZONES > 2
    run Whole(2);
#endif
    run Instance(0);
    run Instance(1)
  }
}
