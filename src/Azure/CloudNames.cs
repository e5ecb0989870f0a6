using SuperVm.Core.Storage;

namespace SuperVm.Azure;

/// <summary>Every name that the program and its cloud resources have to agree on.</summary>
/// <remarks>
/// The templates under infra/bicep make what is named here, a test compares the two word by word, and the local
/// emulation creates its queues, tables and containers from these lists. A validator has a storage account and a
/// database of its own, so no name carries a prefix.
/// </remarks>
public static class CloudNames
{
    /// <summary>Storage queues, each with its poison queue (<see cref="BusLimits.PoisonQueue"/>).</summary>
    public static class Queues
    {
        /// <summary>To the validator's replica: packed transactions, other replicas' messages, time-outs.</summary>
        public const string Inbox = "inbox";

        /// <summary>From the replica to execution: ordered batches.</summary>
        public const string Batches = "batches";

        /// <summary>To the prover: proof jobs.</summary>
        public const string Proofs = "proofs";

        public static IReadOnlyList<string> All { get; } = [Inbox, Batches, Proofs];
    }

    /// <summary>Tables of the storage account.</summary>
    public static class Tables
    {
        /// <summary>What became of a transaction, and a block's number, by hash.</summary>
        public const string Transactions = "transactions";

        public static IReadOnlyList<string> All { get; } = [Transactions];
    }

    /// <summary>Blob containers.</summary>
    public static class BlobContainers
    {
        /// <summary>
        /// Blocks, headers, code, older history, and under <see cref="ClaimCheck.Folder"/> what is too large for a
        /// message.
        /// </summary>
        public const string Bodies = "bodies";

        /// <summary>The genesis file, and circuits' keys.</summary>
        public const string Config = "config";

        /// <summary>Actions of administrators, a log a day.</summary>
        public const string Audit = "audit";

        public static IReadOnlyList<string> All { get; } = [Bodies, Config, Audit];
    }

    /// <summary>Containers of the document database, all with the partition key <c>/pk</c>.</summary>
    public static class DocumentContainers
    {
        /// <summary>One document: the committed head, and the block that is being written.</summary>
        public const string Head = "head";

        /// <summary>State in pages, each with what the last blocks overwrote in it.</summary>
        public const string Pages = "pages";

        /// <summary>The replica's durable state.</summary>
        public const string Replica = "replica";

        /// <summary>A record for each proof job.</summary>
        public const string Proofs = "proofs";

        /// <summary>Filters that clients installed; one that nobody wrote for an hour is forgotten.</summary>
        public const string Filters = "filters";

        /// <summary>Seconds after which the database forgets a filter that nobody wrote.</summary>
        public const int FilterSeconds = 3_600;

        public static IReadOnlyList<string> All { get; } = [Head, Pages, Replica, Proofs, Filters];
    }

    /// <summary>Words that alerts look for: whoever logs such an event begins its line with them.</summary>
    public static class Events
    {
        /// <summary>A transaction was taken into the inbox.</summary>
        public const string Submitted = "supervm.submitted";

        /// <summary>A block was committed and is the head.</summary>
        public const string HeadMoved = "supervm.head.moved";

        /// <summary>Validators signed different blocks at one height.</summary>
        public const string AttestationMismatch = "supervm.attestation.mismatch";

        public static IReadOnlyList<string> All { get; } = [Submitted, HeadMoved, AttestationMismatch];
    }

    /// <summary>App settings, which a handler sees as environment variables.</summary>
    public static class Settings
    {
        /// <summary>End points of the storage account's services and of the document database.</summary>
        public const string QueueUri = "SUPERVM_QUEUE_URI";
        public const string BlobUri = "SUPERVM_BLOB_URI";
        public const string TableUri = "SUPERVM_TABLE_URI";
        public const string DocumentUri = "SUPERVM_DOCUMENT_URI";

        /// <summary>The document database.</summary>
        public const string Database = "SUPERVM_DATABASE";

        /// <summary>The client id of the app's user-assigned identity.</summary>
        public const string IdentityClientId = "SUPERVM_IDENTITY_CLIENT_ID";

        /// <summary>The genesis file's name in <see cref="BlobContainers.Config"/>.</summary>
        public const string Genesis = "SUPERVM_GENESIS";

        /// <summary>The validators as JSON: <c>[{"address":"0x…","power":1,"url":"https://…"}]</c>.</summary>
        public const string Validators = "SUPERVM_VALIDATORS";

        /// <summary>The validator's private key, 32 bytes in hex; a reference to the key vault in the cloud.</summary>
        public const string ValidatorKey = "SUPERVM_VALIDATOR_KEY";

        /// <summary>Whether JSON-RPC answers without a key: <c>true</c> or <c>false</c>.</summary>
        public const string RpcOpen = "SUPERVM_RPC_OPEN";

        /// <summary>What a caller shows where JSON-RPC is not open; a reference to a vault in the cloud.</summary>
        public const string RpcKey = "SUPERVM_RPC_KEY";

        /// <summary>What a caller of management routes shows; a reference to a vault in the cloud.</summary>
        public const string ManagementKey = "SUPERVM_MANAGEMENT_KEY";

        /// <summary>Transactions a second that one sender, one network address and all may submit.</summary>
        public const string SenderRate = "SUPERVM_RATE_SENDER";
        public const string AddressRate = "SUPERVM_RATE_ADDRESS";
        public const string GlobalRate = "SUPERVM_RATE_GLOBAL";

        /// <summary>Transactions a second of one sender that are alike in recipient, value and data.</summary>
        public const string DuplicateRate = "SUPERVM_RATE_DUPLICATES";

        /// <summary>The smallest fee a gas that is taken, in wei.</summary>
        public const string FeeFloor = "SUPERVM_FEE_FLOOR_WEI";

        /// <summary>Transactions of one sender that may wait.</summary>
        public const string PendingPerSender = "SUPERVM_PENDING_PER_SENDER";

        /// <summary>Who takes proof jobs: <c>none</c> refuses them at the door; else they are queued.</summary>
        public const string Prover = "SUPERVM_PROVER";

        /// <summary>Whether log lines name every transaction: <c>true</c> or <c>false</c>; true where it is left
        /// out.</summary>
        public const string LogTransactions = "SUPERVM_LOG_TRANSACTIONS";

        /// <summary>Blocks that a validator must be behind to be offered a state instead of executing.</summary>
        public const string SnapshotBehind = "SUPERVM_SNAPSHOT_BEHIND";

        /// <summary>Batches whose bodies a consortium's validator keeps; 0 keeps all.</summary>
        public const string KeptBatches = "SUPERVM_KEEP_BATCHES";

        /// <summary>What the templates give to the function apps.</summary>
        public static IReadOnlyList<string> All { get; } =
        [
            QueueUri, BlobUri, TableUri, DocumentUri, Database, IdentityClientId, Genesis, Validators, ValidatorKey,
            RpcOpen, RpcKey, ManagementKey, SenderRate, AddressRate, GlobalRate, DuplicateRate, FeeFloor,
            PendingPerSender, Prover, LogTransactions,
            SnapshotBehind, KeptBatches,
        ];

        /// <summary>Account and key of an emulator of this machine; no template may set them.</summary>
        public const string EmulatorAccount = "SUPERVM_EMULATOR_ACCOUNT";
        public const string EmulatorStorageKey = "SUPERVM_EMULATOR_STORAGE_KEY";
        public const string EmulatorDocumentKey = "SUPERVM_EMULATOR_DOCUMENT_KEY";

        /// <summary>The sentence of accounts that the node signs with for its users.</summary>
        public const string EmulatorMnemonic = "SUPERVM_EMULATOR_MNEMONIC";

        /// <summary>A folder: a file with the name of a fail point in it kills the process there.</summary>
        public const string EmulatorFailPoints = "SUPERVM_EMULATOR_FAIL_POINTS";

        /// <summary>Whether the process ends with its standard input: with the host that holds the other end.</summary>
        public const string EmulatorTied = "SUPERVM_EMULATOR_TIED";
    }
}
