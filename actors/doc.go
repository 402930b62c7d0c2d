// Package actors is the room of everything that acts: one package per actor, and the package name is the prefix of its
// messages.
//
// # The supervision tree
//
//	quorumlog (member)          starts the others; a panic or a broken disk ends it, and its process
//	 ├ replica                  acceptor and learner; owns the disk; one sync serves every answer that waits
//	 │  └ syncer                waits for the disk while the replica goes on
//	 │  └ server                reads what peers copy, beside the votes
//	 ├ network                  greets the other members; Watch(at least n), who is there
//	 ├ gateway                  serves clients
//	 │  └ subscription          pushes the log to one subscriber, as far as that grants
//	 │  └ refresh               learns everything that was acknowledged before it began
//	 │     └ catchup            copies learned ranges from all peers at once
//	 │        └ fill            settles what nobody has learned
//	 │           └ round        asks every replica one question of one proposal
//	 ├ recover                  until the replica votes: takes it there
//	 │  ├ protocol              which status comes next?
//	 │  └ catchup ...
//	 ├ coordinator              once the replica votes: wins elections, writes
//	 │  ├ round
//	 │  └ catchup ...
//	 ├ leader                   once the replica votes: sees to it that somebody writes
//	 │  └ round
//	 ├ follow                   once the replica votes: copies what it missed
//	 │  └ catchup ...
//	 └ audit                    once the replica votes: compares what is learned with the others
//
// A process with several logs has a tree for each: that of the log orders is called quorumlog.orders.
//
// A supervisor stops a child that panics and reports it; nothing is ever restarted. Whoever no longer wants a result
// poisons the actor that works on it, which ends with its children, always.
//
// Packages ensemble (what the actors of one member share), timer (the only clock they see), measure (what they count, and note of
// what happened, for whoever looks on) and actortest (the seeded
// world for tests; below it logtest, clusters of members in it) hold no part of the protocol.
//
// # Who sends what to whom
//
// Between processes, protobuf (package messages); codec decodes each once, where it arrives:
//
//	message            from                          to       answer             it says
//	Hello              network                       replica  Welcome            I am there, and write, or am about to, or not any more; are you?
//	Welcome            replica                       network  -                  my status, writer, learned position, whom I heard; or a refusal
//	CanvassRequest     round (leader)                replica  CanvassResponse    would you mind an election?
//	CanvassResponse    replica                       round    -                  no; or why: it promises nothing, and nothing is stored
//	RecoverRequest     protocol                      replica  RecoverResponse    register my incarnation; what is your status?
//	RecoverResponse    replica                       sender   -                  status; of a voting one begin, end, promise, founders
//	PromiseRequest     round (coordinator, fill)     replica  PromiseResponse    take part in no lower proposal; or note my reign
//	PromiseResponse    replica                       round    -                  granted, with what was accepted; or why not
//	WriteRequest       round (coordinator, fill)     replica  WriteResponse      accept these values; those before are chosen
//	WriteResponse      replica                       round    -                  accepted and synced; or why not
//	LearnedMessage     coordinator, fill             replica  -                  what was written under this proposal is chosen
//	FrontierRequest    refresh                       replica  FrontierResponse   how far does your log go?
//	FrontierResponse   replica                       refresh  -                  its end; or that it does not vote
//	FetchRequest       catchup                       replica  FetchResponse      what do you know as learned in this range?
//	FetchResponse      replica, server               catchup  -                  learned records; or where the log begins
//	AuditMessage       audit                         audit    -                  sums of what I have learned, to compare with yours
//	AppendRequest      client                        gateway  AppendResponse     append these entries, once each where they have numbers in a session
//	AppendResponse     gateway                       client   -                  their positions; or why not
//	TruncateRequest    client                        gateway  TruncateResponse   drop everything before a position
//	TruncateResponse   gateway                       client   -                  the truncation's position; or why not
//	ElectRequest       client                        gateway  ElectResponse      fence every other writer
//	ElectResponse      gateway                       client   -                  the fence; or why not
//	ReadRequest        client                        gateway  ReadResponse       learned records of your own replica, once there are some
//	ReadResponse       gateway                       client   -                  a page without a gap; or why not
//	CatchupRequest     client                        gateway  CatchupResponse    learn all that was acknowledged so far
//	CatchupResponse    gateway                       client   -                  up to where it is learned; or why not
//	DigestRequest      client                        gateway  DigestResponse     a digest of a range
//	DigestResponse     gateway                       client   -                  SHA-256 of the range's records; or why not
//	MembersRequest     client                        gateway  MembersResponse    who are the members? or: change them
//	MembersResponse    gateway                       client   -                  the configuration; or why not
//	StatusRequest      client                        gateway  StatusResponse     how are you?
//	StatusResponse     gateway                       client   -                  status, positions, progress, advice
//	EventsRequest      client                        gateway  EventsResponse     what happened?
//	EventsResponse     gateway                       client   -                  the next of the last 1,024 events
//	SubscribeRequest   client                        gateway  SubscribeResponse  push the log to me, or to another actor there, from a position on
//	SubscribeResponse  subscription, gateway         client   -                  who does; or why not
//	Grant              subscriber                    subscription  -             how far I have come, and how much may be on its way to me
//	Delivery           subscription                  subscriber    -             the next entries
//	LogTruncated       subscription                  subscriber    -             the log begins above what comes next: go on there?
//	Lagging            subscription                  subscriber    -             how far behind you are
//	Ended              subscription                  subscriber    -             that was all, and why
//	Terminated         (protoactor)                  subscription  -             the subscriber has ended
//
// Inside a process, plain Go values, declared by whoever receives a request or sends a report:
//
//	replica       Attend Gone Inspect Reserve Stand Lead Advance Reincarnate Install Heard Trusted Missing Learn Jump Read Await Distrust Sessions; reports
//	              StatusChanged Reconfigured Lacking Damaged Failed Outbid Deserted
//	syncer        await; answers synced
//	server        serve; reports unserved
//	network       Watch Wait Survey Greet Lost; reports Refused Doubted Welcomed
//	coordinator   Elect Append Change Demote; answers Elected Appended Changed Demoted Failed
//	leader        Seek Leave; answers Found Elsewhere Left
//	round         reports Done to its parent
//	catchup       reports Progress and Done (Fill: Filled, Passed; Refresh: Refreshed) to its parent
//	recovery      reports Decided, Advice, Fenced (protocol) and Recovered (recover) to its parent
//	audit         reports Diverged Agreed
//	gateway       Serve Advise, from the member
//	subscription  End Repeat, from the gateway; reports Renewed. It asks the replica, or a source that answers as one
//	all of them   ensemble.Moved, from the member: the members are others now
//
// Beside the members, in programs that keep the state of their own actors in a log, package persistence:
//
//	keeper        Activate Write; answers Activated Written Refused
//	port          Append Follow Fetch Truncate; answers Appended Followed Fetched Truncated
package actors
