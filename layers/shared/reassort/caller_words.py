"""The words that a caller reads to the helpdesk: 1,024 everyday French words of 4 to 10 letters.

Any two differ in two letters at least: over a bad line one is not taken for another. None is a
number, a title, a faith, an insult or a word of voting.
"""

_WORDS = """
abeille abricot accordéon affiche agenda agneau agrafe aiguille ailette aimant ajonc alarme album
algue allumette alouette alpaga altitude amiral amphore ampoule analyse ananas anchois anémone
annuaire anorak antenne antilope aplomb aquarium aqueduc araignée arbitre arbuste arcade ardoise
argile armoire armure arrosoir artisan asperge assiette astuce atelier atlas atome aubergine
auréole aurore automne autruche avalanche avenue averse aviron avoine azur babouin bague baignoire
balance balcon baleine balustre bambou banane bandeau banquise baobab barbe baril barrage barrière
basalte basilic basket bassine bastion bateau batterie baudrier bécasse bégonia beignet belette
berger bermuda bétail béton betterave beurre bibelot biberon bicyclette bielle bijou billard
biscuit bison bitume bivouac bleuet blouson bocage boisson bonbon bordure bottine bougie bouillon
boulanger boulevard bouquet bourdon boussole bouteille bouvreuil boxeur bracelet branche brasier
bravo brebis bretelle bridge brioche brocante brocoli broderie brouette brouillard brume bruyère
bûcheron buffet bureau buvard cabane câble cacao cachalot cactus cadenas cadence café cahier
caillou calcaire calèche calendrier calibre calmar camélia caméra camion campanule camphre canard
candélabre canevas canif cantine caoutchouc capitaine caprice capsule caracole carafe caramel
caravane carbone cardigan caribou carnaval carotte carrefour cartable carton cartouche cascade
cassis castor catalogue cavalier cédille ceinture céleri cendrier céramique cerceau céréale cerf
cerfeuil cervelas chacal chaîne chalet chaleur chaloupe chalumeau chameau chamois champignon
chandelle chanson chanvre chapitre charbon chariot charrue chartreuse chaton chaudron chaussette
chemise cheval chevreuil chicorée chiffon chignon chocolat chorale chrome cigale cigogne cinabre
cinéma cirage circuit cirque ciseau citadelle citerne cithare citron citrouille clairière clairon
clarinette clavecin clavier clémentine clocher cloison clôture cobalt cobra cocarde coccinelle
cocotier coiffeur colibri collier colombe colonne colza commode compote comptoir concert concombre
condiment condor confetti confiture coquelicot coquillage corail corbeau corbeille cordage
cormoran corniche cornichon corolle corridor cortège costume cotillon coucou coudrier couette
couleur couloir coupole courgette couronne coussin couvercle crabe crampon cratère cravate
crécelle crème crépuscule cresson crevette crinière criquet cristal crocodile croissant croquis
croûton crustacé cube cuillère cuirasse cuisine cuivre cycliste cyclone cylindre cymbale cyprès
dahlia damier danseur datte dauphin décor delta deltaplane denrée dentelle dentiste dépêche
dessert dessin détective détour diadème dialogue diamant diapason diligence dindon diplôme
dirigeable disque divan dollar dolmen domino donjon dorade dossier douane douche dragée dragon
drakkar drapeau droguerie dromadaire duvet dynamo ébène écaille échalote écharpe échelle éclipse
écluse écran écrevisse écrou écume écureuil écurie édredon élastique éléphant élixir emblème
embrun émeraude encrier énergie engrais énigme ensemble entonnoir enveloppe éolienne épaule éperon
épervier épilogue épinard épisode éponge équerre érable escabeau escalier escargot escrime espadon
estampe estomac estragon estuaire étagère étang étendard étincelle étoffe étoile étourneau étrier
éventail excursion façade facteur fagot faïence famille fanfare fanion farandole fardeau farine
faucon fauteuil fauvette fenêtre fenouil fermier festival fétiche feuille feutre ficelle figuier
figurine filtre fjord flacon flageolet flamant flambeau flanelle flegme fleuve fluor folio follet
fondue fontaine football forge format forteresse fortune fossile fougère foulard fourchette fourmi
fourneau framboise français freesia frégate frelon frêne fresque friandise frimas friture fromage
fronde fruit funambule fusain fusible futaie gabarit gabion gadget galaxie galerie gamelle gardien
garenne gargouille garrigue gaufre gavotte gazette gélatine générale genièvre genou gentiane
géranium gibier gingembre girafe girofle girouette givre glacier glaïeul gland globe glycine
gobelet goéland golfe gomme gondole gorille goudron gourmet goyave gradin graffiti graminée
grammaire grange grappe gravier grelot grenier grenouille grève griffe grillage grillon grog
groseille guépard guetteur guichet guidon guimauve guirlande gymnase hamac hamster handball
hanneton harmonica harnais hélice hélium herbe hermine hibou hippocampe hirondelle hiver homard
horizon horloge hortensia hôtel houblon hublot huître humus hyacinthe icône idylle igloo iguane
immeuble imprimeur indigo infini infusion ingénieur insecte iris itinéraire ivoire jachère jaguar
jambon janvier jardin jasmin javelot jersey jockey jongleur jonquille journal judo jument jungle
kangourou kayak képi kermesse kimono kiosque kiwi klaxon koala labyrinthe lagon laitue lampadaire
langouste lanière lanterne laurier lavande lavoir légende légume lentille léopard lessive levier
levure lexique liane libellule licorne lièvre limace limonade lingot lion liseron litchi loir
longère loutre lucarne luciole luge lumière lunette lutin luzerne macaron magasin magie magnolia
maillot maison mammouth mandarine mandoline manège mangue manoir mansarde manteau maquette marbre
marécage marelle marguerite marmite marron mascotte massage matelas médaille médecin mélodie
membrane menhir menuisier merisier mésange météore mètre meule mimosa minerai minuit miroir
mistral moineau molécule monnaie montagne monument mosaïque motif mouchoir moufle moulin moustache
mouton muraille mûre muscade musique mustang myrtille mystère nacelle nacre nageur narcisse narval
naseau nature navette navire nectar nectarine nénuphar neurone noisette nombril nougat nouille
nuage nylon océan œillet ogive oignon olivier omelette ongle opale opéra orchestre orchidée
ordinateur organe origan ornière orque otarie oursin outil ouvrage pagaie palmier palourde panache
pancarte pantalon panthère pantoufle papillon paprika paquebot parachute parapluie parasol
parchemin parfum parking parloir parquet parterre passerelle pastèque pastille patin pâtissier
patrouille paysage pélican pelle pelouse pendule péniche perdrix perroquet persil pervenche pétale
peuplier phare pharmacie piano pierre pieuvre pigeon pilote piment pinceau pingouin pintade
piranha pirogue piscine pissenlit pistache pivoine placard plafond planète platane plateau
plongeoir pluie poète pointure poireau poivron polka pollen pomelo pommade pompier pont porcelaine
portail portique potager poterie potiron poudre poulie poumon prairie praline prisme projecteur
promenade prune pupitre puzzle pyjama pyramide quenelle quetsche radeau radiateur rafale
raffinerie ragoût rallye rayon recette récif réglisse relief remorque remparts renard renoncule
requin réservoir ressort restaurant rétine réveil réverbère revue rhubarbe rivage rivière robinet
rocaille rocher romarin rondin roseau rossignol rotin rouleau ruban rugby ruisseau rutabaga
sablier safran sagesse salamandre salsifis sanglier sapin sarbacane sardine sarment saturne saumon
sauterelle savane saxophone scarabée science scooter scorpion sculpture sécateur seigle semelle
semoule sentier séquoia serpent serrure serviette sésame sillon sirène skieur soleil sonate sorbet
souffleur source sourcil spatule spectacle sphère spirale stade statue sucre surprise sycomore
symphonie tableau talisman talon tambour tapis tartine taureau taverne taxi téléphone télescope
tempête tente terrier têtard théâtre thuya tiare ticket tilleul timbre tirelire tisane tissu
toboggan toit tombola tonnerre topaze tornade tortue toucan toundra toupie tourbillon tourelle
tournesol tracteur traîneau tramway trapèze trèfle treillis tremplin triangle tribune tricot
tricycle trident troène trombone tropique trottoir trousse truelle truffe tulipe tunnel turban
turbine turquoise univers usine ustensile vaisseau vanille vannerie vapeur veilleuse velours
vendange véranda vernis verrou verveine vestiaire veston viaduc vigne village vinaigre violette
virgule visage viseur vitesse vitrail vitrine vivier voilier voiture volcan volière voltige wapiti
yaourt yoga zèbre zéphyr zinc zinnia zodiaque
"""
WORDS = tuple(_WORDS.split())
