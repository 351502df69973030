//! Every text that a person reads on the page, in English and in Spanish.
//!
//! The texts are in `static/messages/*.txt`, one `Key = text` a line, in the order of [`Text`].
//! They are read while the crate is compiled: a text that is missing, unknown or out of order in
//! either language does not compile, and looking one up costs an index. What Kubernetes itself
//! says (kinds, reasons, kubectl's output) is never translated and never comes through here.

mod catalogue;

use catalogue::read;

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English, also for browsers that ask for neither.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// Every language, in the order in which the page offers them.
    pub const ALL: [Lang; 2] = [Lang::Es, Lang::En];

    /// The first language of a list of BCP 47 tags (`es-ES`, `en`) that the page speaks.
    pub fn of_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Lang {
        let spoken = |tag: &str| Self::ALL.into_iter().find(|lang| tag.starts_with(lang.tag()));
        tags.into_iter().find_map(spoken).unwrap_or_default()
    }

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Es => "es",
        }
    }

    /// Its name in itself.
    pub const fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::Es => "Español",
        }
    }

    /// The text in this language.
    pub fn t(self, text: Text) -> &'static str {
        let table = match self {
            Lang::En => &EN,
            Lang::Es => &ES,
        };
        table.get(text as usize).copied().unwrap_or_default()
    }

    /// The text in this language with its `{names}` filled in.
    pub fn fill(self, text: Text, values: &[(&str, &dyn core::fmt::Display)]) -> String {
        let mut filled = self.t(text).to_owned();
        for (name, value) in values {
            filled = filled.replace(&format!("{{{name}}}"), &value.to_string());
        }
        filled
    }
}

/// Declares [`Text`] and the keys that both message files must hold.
macro_rules! texts {
    ($($key:ident)*) => {
        /// A text of the page. Its name is its key in the message files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "static/messages/en.txt says what each one reads")]
        pub enum Text { $($key),* }

        const KEYS: [&str; [$(stringify!($key)),*].len()] = [$(stringify!($key)),*];
    };
}

texts! {
    AppName AppTagline SkipToMap Language ThemeLight ThemeDark Sample SampleWeb SampleRollout
    SampleState SamplePod SampleDaemon SamplePlacement SampleNodePort SampleBalancer SampleBareMetal
    SampleMetalLb SampleByHand SampleIngress SampleGateway SampleSilent SampleBroken Play Pause
    Speed Clock TabMap TabEditor TabTerminal TabTrace TabInspector TabEvents EditorLabel EditorHelp
    Apply Reset ResetHint Reverted DiagnosticsOne DiagnosticsMany DiagnosticAtLine DiagnosticFix
    DiagnosticFixHint MapLabel MapHelp MapAsText MapAsPicture ZoomIn ZoomOut ZoomFit MapTools Legend
    Outside Cluster ClusterSummary Client ClientNote ControlPlane LoadBalancer LoadBalancerNote
    Services Ingresses ServicesAndIngresses ClusterOwnPods Waiting WaitingUnseen WaitingHelp Shelves
    ClusterWide More Follow NodeAdd NodeRemove NodeNoRules NodeCpu NodeMem NodeMemory NodeStill
    NodeCut NodeCutUnknown NodeCutKnown LampServer LampStore LampScheduler LampControllers PodGrace
    PodNextTry PodExit WorkloadRollout ServicePending ServiceNoEndpoints ServiceEndpoints
    ServiceEndpoint Headless LegendPhase LegendPending LegendStarting LegendReady LegendNotReady
    LegendFailed LegendCompleted LegendTerminating LegendUnknown LegendSigns LegendContainers
    LegendSidecar LegendDisk LegendScratch LegendOld LegendEmpty LegendStreet LegendNumber LegendReply
    LegendColour LegendPacket LegendNode EmptyTitle EmptyText RequestTo RequestSend RequestNone
    DoorNodePort DoorLoadBalancer DoorIngress DoorInside TraceReply TraceEmptyTitle TraceEmptyText
    TraceFirst TraceBack TraceForward TracePlay TracePause TraceSlow TraceCopy Copied TraceStep
    TraceLoop TraceFollow TraceFollowPill TraceViewStory TraceViewTable TraceViewRules
    TraceViewCompare CompareAsk CompareNow CompareThen CompareApply CompareOutcome CompareSees
    CompareHops CompareRules CompareAbsent CompareEmpty RulesOfNode RulesCount RulesRaw RulesMore
    BurstAll BurstNone BurstSome BurstKept BurstLoss BurstFollow Roll RollHint RollQuestion RollRunning
    RollNote RollNothing RollLossAt RollLossSpan RollFix RemedyPreStop RemedyGracePeriod
    RemedyReadinessProbe RemedyMinReadySeconds RemedyMaxUnavailable CaptionReply CaptionClose
    RulesSeek RulesNone Present PresentLeave Timeline TimelineNow TimelineGoOn TimelineBack TimelineWentOn PartMissing AimMore AimUrl AimFrom AimInternet
    AimNodes AimPods AimSize AimKept AimBurstOf TraceViews TraceTableCaption TraceColumnWhere
    TraceColumnWhat TraceColumnFrom TraceColumnTo TraceColumnMark ChapterDoor ChapterWire
    ChapterVeth ChapterRules ChapterBack ChapterSends ChapterWireText ChapterDnat ChapterSnat
    ChapterNothing ChapterRulesMany ChapterRulesOne ChapterHopsMany ChapterIdleMany ChapterIdleOne
    LotsTitle LotsTurn LotsDrawn LotsRule LotsRest LotsNotAsked LotsMore PacketTitle PacketReply
    PacketEntry RemedyTitle RemedyTry ExaminedRules Arrived Refused ArrivedSees ArrivedPlain
    ArrivedSeesProxy NotResolved Unreachable NotSent PlaceDevice HopSends HopResolves HopNoAnswer HopBalances
    HopBalancesLocal HopEnters HopEntersFromPod HopRefuses HopRejects HopResets HopUntranslatesError HopIsRefused HopVanishes HopDeniedMany HopSchedules
    HopTracks HopEncapsulates HopDecapsulates HopLeaves HopAllowed HopDenied HopDelivers
    HopAnswers HopEchoes HopIngress HopIngressNone HopUntranslates HopUnmasquerades HopRemembers HopReturns HopReceives
    HopRouteLocal HopRoutePod HopRouteNeighbour HopRouteNode HopRouteTunnel HopRouteDefault HopDnat RuleDnatOwn HopMasquerade
    HopMark HopDrawn HopNotDrawn HopRule RulePolicy RuleDnatDrawn RuleUnmark RuleMarks RuleMarkedAlready RuleTurn RuleNotTurn RuleCounts RuleLogs RuleNoTrack RuleRemembers RuleSame RuleUnmarked RuleMarked
    RuleKnown RuleIpvs RuleAccepts RuleDrops RuleRejects RuleReturns RuleIdle RuleLeads RuleLast RuleAffinity
    MarksExternal MarksHairpin MarksOutside ToServices ToNodePorts ToExternalServices ToExternal
    ToService ToLocal ToEndpoint ToFirewall ToMark ToPostrouting ToForward ToKubeletFirewall
    ToProxyFirewall ToIpvsNodePort ToIpvsFilter ToNoEndpoints ToClusterIps ToRefusals ToHealthPorts CauseNoClient
    CauseNoSuchName CauseNoAddress CauseNoZone CauseOtherDns CauseDnsSilent CauseDnsRefused CauseDnsFails CauseNodeDown CauseNoEndpoints CauseNearly
    CauseNearlyLacks CauseTargetPort CauseNotReady CauseNotReadyMany CauseNoLocalEndpoints CauseOnLoopback
    CauseWrongPort CauseWrongProtocol CauseNothingListens CauseNotANodePort CausePolicyIn CausePolicyOut
    CausePolicyInMany CausePolicyOutMany CauseSourceRange CausePendingIp CauseNoHealthyNode
    CauseNoSuchAddress CauseRefusalLost CauseNoForwarding CauseNoEcho CauseLoop CauseStrangeReply CauseRuleByHand HopRewrites
    HopCanary HopCanaryNot ChoiceHeader ChoiceCookie ChoiceAffinity ChoiceWeight HopPickTurn
    HopPickCookie HopPickNewCookie HopFails HopFailsLate CauseNoRuleHost CauseNoRuleClass
    CauseNoRuleNoClass CauseNoRuleCanary CauseNoRulePath CauseNoSuchService CauseNoSuchPort
    CauseRedirectsToTls CauseNotAllowedBy CauseWantsPassword HandshakeFailed ClosedEmpty
    HopHttpRoute HopRouteNone HopWeighs HopChangesHeaders HopPickChance HandBuilt HandBuiltLines
    HopHandBalances HopHandDown HopHandUnlisted HopHandFails HopHandFailsLate CauseNoRouteHost
    CauseNoRouteGateway CauseNoRouteRefused CauseNoRoutePath CauseNoRouteMatch CauseNoBackend
    CauseNoWeight CauseNoListener CauseNoCertificate CauseNoTlsName CauseByHand CauseAllDown CauseNoFrontend RemedyHandNode
    RemedyHandPort RemedyHandAddress RemedyHandOther PlaceRouter HopAnswersArp HopAllAnswerArp
    HopAsksInVain HopRoutesByBgp CauseAnnouncerDown CauseNoAdvertisement CauseSilentNoEndpoints
    CauseSilentNoLocal CauseNoSpeaker CauseNoSession CausePeerMismatch CauseOtherNetwork TimedOut
    HistogramTitle HistogramExpected HistogramExpectedVaried HistogramLost HistogramPod
    HistogramCount HistogramShare EventsEmpty EventTime EventReason EventObject EventMessage
    InspectorEmptyTitle InspectorEmptyText InspectorGone InspectorYaml InspectorEvents
    InspectorFacts InspectorConditions PodKill NodeStop NodeStart TerminalLabel TerminalInput
    TerminalWelcome TerminalHelp TerminalRunning AppliedCount AppliedAll FaultOther FaultSyntax
    FaultTab FaultTooLarge FaultAliases FaultDepth FaultBinary FaultDuplicateKey FaultNoKind
    FaultKind FaultKindNear FaultVersion FaultField FaultFieldNear FaultType FaultRequired
    FaultNotSupported FaultDuplicate FaultNameless FaultForbidden FaultNotFound FaultSelector
    FaultImmutable FaultName FaultPort FaultNodePort FaultLimit FaultInvalid FaultsLabel WhyTitle
    WhyPerson WhyNode WhyController WhyScheduled WhyDaemon WhyKubelet WhyWaiting NodeCordon
    NodeUncordon NodeDrain WorkloadRestart ObjectDelete ExplainPod ExplainNode ExplainService
    ExplainDeployment ExplainReplicaSet ExplainStatefulSet ExplainDaemonSet ExplainJob
    ExplainIngress ExplainEndpointSlice ExplainOther AppliedNone FaultNodePortTaken FaultQuota
    FaultQuotaNeeds FaultPodSecurity FaultLimitRange FaultServiceAccount FaultPriorityClass
    FaultNamespaceEnding FaultTypeString FaultTypeNumber FaultTypeNumberQuoted FaultTypeBool
    FaultTypeList FaultTypeFields FaultNameMissing FaultWarning FixInsert FixRemove FixRun
    FaultPrevious FaultNext WarningsOne WarningsMany EditorLarge KeptNote KeptOwn LeftUndo EditSave
    EditCancel EditNote Share ShareHint ShareDone CompareAddedOne CompareAddedMany CompareAdded
    CompareChange CompareDiff CompareDiffHint CompareNone CompareBack TerminalOffers TerminalWide
    TerminalNarrow SplitEditor SplitSide SplitTerminal EventsAll EventsWarnings EventsAbout
    EventsFilter EventsPods SideTabs Splits SettingUp SettingUpNodes SettingUpAddons SettingUpCancel
}

static EN: [&str; KEYS.len()] = read(include_str!("../../static/messages/en.txt"), KEYS);
static ES: [&str; KEYS.len()] = read(include_str!("../../static/messages/es.txt"), KEYS);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::order;

    /// The `{names}` of a text, sorted.
    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        order::sort(&mut names);
        names
    }

    #[test]
    fn both_languages_fill_in_the_same_names() {
        for (key, (en, es)) in KEYS.iter().zip(EN.iter().zip(ES.iter())) {
            assert_eq!(names(en), names(es), "{key}");
        }
    }

    #[test]
    fn the_language_is_the_first_one_spoken_of_those_asked_for() {
        let cases: [(&[&str], Lang); 5] = [
            (&["es-MX", "en"], Lang::Es),
            (&["de", "es"], Lang::Es),
            (&["en-GB", "es"], Lang::En),
            (&["de"], Lang::En),
            (&[], Lang::En),
        ];
        for (tags, lang) in cases {
            assert_eq!(Lang::of_tags(tags.iter().copied()), lang, "{tags:?}");
        }
    }

    #[test]
    fn names_are_filled_in_wherever_the_language_puts_them() {
        assert_eq!(Lang::Es.fill(Text::TraceStep, &[("number", &2), ("count", &7)]), "2 de 7");
    }
}
