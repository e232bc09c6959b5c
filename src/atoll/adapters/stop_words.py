"""Function words that say nothing about what a question is about, by language.

Only questions lose them. In passages they stay: a passage's vector must not change when a list here does.
"""

from __future__ import annotations

from collections.abc import Mapping

_EN = """
a about after all also an and any are as at be because been before being between both but by can cannot could d did do
does doing during each either else every for from had has have having he her here hers him his how i if in into is it
its itself just ll m many may me might more most much must
my no nor not of off on once only or other our ours out over own please
re s same shall she should so some such t tell than that the their theirs them then there these they this those
through to too under until up upon us very was we were what when where which while who whom whose why will with would
you your yours
"""
_DE = """
aber als am an auch auf aus bei bin bis bist da damit dann das dass dein dem den denn der des dessen die dies diese
diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwa für gibt hat hatte hatten
hier ich ihm ihn ihr ihre ihrem ihren ihrer im in ins ist ja kann kein keine können mein mit muss nach nicht noch nur
ob oder ohne sehr sein seine seinem seinen seiner sich sie sind so soll sollen über um und uns unser unter vom von vor
wann war waren warum was welche welchem welchen welcher welches wem wen wenn wer werden wessen wie wieso wir wird wo
wurde wurden zu zum zur zwischen
"""
_FR = """
a à ai alors après au aucun aussi autre aux avant avec avoir c ce cela ces cet cette chaque combien comme comment d
dans de des donc dont du elle elles en entre est et était été être eu fait il ils j je l la le les leur leurs lui m ma
mais me même mes moi mon n ne nos notre nous on ont ou où par pas peut plus pour pourquoi qu quand que quel quelle
quelles quels qui quoi s sa sans se sera ses si son sont sous sur t ta te tes toi ton tous tout toute très tu un une
vos votre vous y
"""
_ES = """
a al algo ante antes aquel aquella como cómo con contra cuál cuáles cuando cuándo cuánto cuántos de del desde donde
dónde dos durante e el él ella ellas ellos en entre era es esa ese eso esta está están este esto estos fue fueron ha
había han hasta hay la las le les lo los más me mi mientras muy nada ni no nos nosotros o os otra otro para pero por
porque que qué quien quién quienes se según ser si sin sobre son su sus también te tiene tu tus un una uno unos y ya yo
"""
_IT = """
a ad agli ai al alla alle allo anche c che chi ci come con contro cosa cui d da dagli dai dal dalla dalle degli dei
del della delle dello di dopo dove e è ed era erano essere fra gli ha hanno i il in io l la le lei li lo loro lui ma
mi mia mio nei nel nella nelle noi non nostro o per perché più prima qual quale quali quando quanti quanto quella
quello questa queste questi questo se si sia sono sta su sua sue sugli sui sul sulla suo suoi tra tu un una uno voi
"""
_PT = """
a ao aos aquela aquele as às até com como da das de dela dele depois do dos e é ela ele eles em entre era essa esse
esta está este eu foi foram há isso isto já lhe mais mas me meu minha na não nas nem no nos nós o onde os ou para pela
pelas pelo pelos por porque qual quais quando quanto quantos que quem se sem ser seu seus sob sobre sua suas são
também te tem tu um uma você vocês
"""
_NL = """
aan al als bij daar dan dat de der deze die dit doch door dus een en er geen had hadden heb hebben heeft hem het
hier hij hoe hoeveel hun ik in is ja je kan kunnen maar me meer met mijn moet na naar niet nog nu of om omdat onder
ons onze ook op over te tegen toch toen tot u uit uw van veel voor waar waarom wanneer waren was wat we welk welke
werd wie wij wordt worden zal ze zich zij zijn zo zonder zou
"""

STOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {"en": _EN, "de": _DE, "fr": _FR, "es": _ES, "it": _IT, "pt": _PT, "nl": _NL}.items()
}
